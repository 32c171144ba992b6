import CYAML

/// Reads the one document of a text into a tree of nodes, by the events of libyaml; nothing recurses.
///
/// Aliases and merge keys (`<<`) are resolved. What they add when written out is bounded, so that a few lines cannot stand for
/// gigabytes.
struct YAMLReader {
    /// Sequences and mappings within each other.
    static let depthMax = 100
    /// Bytes that aliases may add, by ``YAMLNode/weight``.
    static let expansionMax = 10 << 20

    private enum Anchor {
        case open
        case closed(YAMLNode)
    }

    /// A sequence or mapping whose end has not come yet.
    private struct Frame {
        var place: Place
        var anchor: String?
        var isMapping: Bool
        var elements: [YAMLNode] = []
        var mapping = YAMLMapping()
        var weight = YAMLNode.weightOfNode
        var height = 1
    }

    private let findings: Findings
    private var frames: [Frame] = []
    private var anchors: [String: Anchor] = [:]
    private var expansion = 0
    private var documents = 0
    private var root: YAMLNode?

    private init(_ findings: Findings) {
        self.findings = findings
    }

    /// The document's root. Faults that leave the tree whole go to the findings.
    static func read(_ text: ArraySlice<UInt8>, _ findings: Findings) throws(YAMLFault) -> YAMLNode {
        var reader = YAMLReader(findings)
        try text.withUnsafeBufferPointer { bytes throws(YAMLFault) in try reader.read(bytes) }
        guard let root = reader.root, !root.isNull else {
            throw YAMLFault(
                code: .emptyDocument, place: .start, message: "the file holds no template",
                cure: "'stepwell init' writes a small one to begin with")
        }
        return root
    }

    private mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(YAMLFault) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        precondition(yaml_parser_initialize(parser) == 1, "no memory for a YAML parser")
        defer { yaml_parser_delete(parser) }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        // A buffer without bytes may have no address, which libyaml takes for a mistake.
        guard let start = bytes.baseAddress else { return }
        yaml_parser_set_input_string(parser, start, bytes.count)

        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw YAMLFault(parser.pointee, in: bytes) }
            defer { yaml_event_delete(&event) }
            if event.type == YAML_STREAM_END_EVENT { return }
            try accept(event)
        }
    }

    private mutating func accept(_ event: yaml_event_t) throws(YAMLFault) {
        let place = Place(event.start_mark)
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            documents += 1
            guard documents == 1 else {
                throw YAMLFault(
                    code: .severalDocuments, place: place, message: "a second document begins here",
                    cure: "keep one template in a file, and put the others into files of their own")
            }
        case YAML_SCALAR_EVENT: try scalar(event.data.scalar, at: place)
        case YAML_ALIAS_EVENT: try alias(String(event.data.alias.anchor) ?? "", at: place)
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            try open(isMapping: false, anchor: start.anchor, tag: start.tag, at: place)
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            try open(isMapping: true, anchor: start.anchor, tag: start.tag, at: place)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: close()
        default: break
        }
    }

    private mutating func scalar(
        _ scalar: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar, at place: Place
    ) throws(YAMLFault) {
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        let tag = String(scalar.tag)
        let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE && tag == nil
        checkTag(tag, among: [YAML_STR_TAG, "!"], at: place)
        let node = YAMLNode(
            content: .scalar(String(decoding: bytes, as: UTF8.self), isPlain: isPlain), place: place,
            weight: YAMLNode.weightOfNode + scalar.length)
        if let anchor = String(scalar.anchor) { anchors[anchor] = .closed(node) }
        add(node)
    }

    private mutating func alias(_ name: String, at place: Place) throws(YAMLFault) {
        switch anchors[name] {
        case nil:
            findings.error(
                .unknownAnchor, at: place, "there is no anchor '&\(name)' before this place",
                cure: "write '&\(name)' in front of the value that '*\(name)' stands for")
            add(YAMLNode(content: .invalid, place: place))
        case .open:
            throw YAMLFault(
                code: .recursiveAnchor, place: place, message: "'*\(name)' stands within its own anchor '&\(name)'",
                cure: "a value cannot hold itself")
        case .closed(let node):
            expansion += node.weight
            guard expansion <= Self.expansionMax else {
                throw YAMLFault(
                    code: .expandsTooFar, place: place,
                    message:
                        "with '*\(name)' the aliases of this file expand to more than \(Self.expansionMax >> 20) MiB",
                    cure: "repeat less by aliases")
            }
            guard frames.count + node.height <= Self.depthMax else { throw tooDeep(at: place) }
            add(node)
        }
    }

    private mutating func open(
        isMapping: Bool, anchor: UnsafeMutablePointer<yaml_char_t>?, tag: UnsafeMutablePointer<yaml_char_t>?,
        at place: Place
    ) throws(YAMLFault) {
        guard frames.count < Self.depthMax else { throw tooDeep(at: place) }
        checkTag(String(tag), among: [isMapping ? YAML_MAP_TAG : YAML_SEQ_TAG, "!"], at: place)
        let anchor = String(anchor)
        if let anchor { anchors[anchor] = .open }
        frames.append(Frame(place: place, anchor: anchor, isMapping: isMapping))
    }

    private mutating func close() {
        guard let frame = frames.popLast() else { return }
        let content =
            frame.isMapping ? .mapping(frame.mapping.close(findings)) : YAMLNode.Content.sequence(frame.elements)
        let node = YAMLNode(content: content, place: frame.place, height: frame.height, weight: frame.weight)
        if let anchor = frame.anchor { anchors[anchor] = .closed(node) }
        add(node)
    }

    /// Puts a node into the innermost sequence or mapping.
    private mutating func add(_ node: YAMLNode) {
        guard !frames.isEmpty else {
            root = node
            return
        }
        let last = frames.count - 1
        frames[last].weight += node.weight
        frames[last].height = max(frames[last].height, node.height + 1)
        if frames[last].isMapping {
            frames[last].mapping.add(node, findings)
        } else {
            frames[last].elements.append(node)
        }
    }

    private func checkTag(_ tag: String?, among known: [String], at place: Place) {
        guard let tag, !known.contains(tag) else { return }
        let shown = tag.hasPrefix("tag:yaml.org,2002:") ? "!!" + tag.dropFirst(18) : Substring(tag)
        findings.error(
            .tag, at: place, "the tag '\(shown)' has no meaning here",
            cure: "remove it; '!!str' makes text of a number, and so do quotes")
    }

    private func tooDeep(at place: Place) -> YAMLFault {
        YAMLFault(code: .tooDeep, place: place, message: "nested deeper than \(Self.depthMax) levels")
    }
}

extension Place {
    init(_ mark: yaml_mark_t) {
        self.init(line: mark.line + 1, column: mark.column + 1)
    }
}

extension String {
    fileprivate init?(_ text: UnsafeMutablePointer<yaml_char_t>?) {
        guard let text else { return nil }
        self.init(cString: text)
    }
}
