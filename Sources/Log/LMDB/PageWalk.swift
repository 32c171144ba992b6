import Glibc

/// Looks at every page that a file of LMDB's refers to, without LMDB, which trusts its pages: what is wrong with one ends the process
/// there, or gives wrong answers. What passes here LMDB can read without harm.
///
/// The places within a page are those of LMDB 0.9 on a 64-bit machine.
struct PageWalk {
    /// What is wrong, and where.
    struct Fault: Error {
        var page: UInt64
        var reason: String
    }

    private let descriptor: Int32
    private let pageSize: Int
    /// What the file has; the last commit may have taken and given back pages behind its end.
    private let pageCount: UInt64
    private let lastPage: UInt64
    private var isUsed: [Bool]
    private var freePages: [(page: UInt64, listed: UInt64)] = []

    init(descriptor: Int32, pageSize: Int, pageCount: UInt64, lastPage: UInt64) {
        self.descriptor = descriptor
        self.pageSize = pageSize
        self.pageCount = pageCount
        self.lastPage = lastPage
        // The first two are the meta pages.
        isUsed = [Bool](repeating: false, count: Int(pageCount))
        for page in 0..<min(2, isUsed.count) { isUsed[page] = true }
    }

    private enum Flag {
        static let branch: UInt16 = 1
        static let leaf: UInt16 = 2
        static let overflow: UInt16 = 4
        /// A value on pages of its own.
        static let bigNode: UInt16 = 1
        /// A value that is a table.
        static let tableNode: UInt16 = 2
    }

    private static let header = 16
    private static let nodeHeader = 8
    private static let noPage = UInt64.max
    private static let depthMax: UInt16 = 32
    private static let keyMax = 511

    /// What LMDB keeps of a table, 48 bytes.
    struct Root {
        static let byteCount = 48
        var depth: UInt16
        var branchPages, leafPages, overflowPages, rows, page: UInt64

        init(_ bytes: UnsafeRawBufferPointer) {
            depth = bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)
            branchPages = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            leafPages = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
            overflowPages = bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
            rows = bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
            page = bytes.loadUnaligned(fromByteOffset: 40, as: UInt64.self)
        }
    }

    /// Both trees of a meta page: the free pages, and the tables with all that is below them.
    mutating func check(free: Root, main: Root) throws(Fault) {
        try check(main, isFreeList: false)
        try check(free, isFreeList: true)
        for entry in freePages {
            guard entry.page > 1, entry.page <= lastPage else {
                throw Fault(page: entry.listed, reason: "it lists page \(entry.page) as free")
            }
            guard entry.page < pageCount else { continue }
            guard !isUsed[Int(entry.page)] else {
                throw Fault(page: entry.page, reason: "it is in use, and listed as free on page \(entry.listed)")
            }
            isUsed[Int(entry.page)] = true
        }
    }

    // MARK: One tree

    /// How far one tree has been gone through.
    private struct Tree {
        let root: Root
        let isFreeList: Bool
        var branchPages: UInt64 = 0
        var leafPages: UInt64 = 0
        var overflowPages: UInt64 = 0
        var rows: UInt64 = 0
        var lastKey: [UInt8]?
        /// The key in a branch that the next row must not be below.
        var floor: [UInt8]?
    }

    private mutating func check(_ root: Root, isFreeList: Bool) throws(Fault) {
        var tree = Tree(root: root, isFreeList: isFreeList)
        if root.page != Self.noPage {
            guard root.depth > 0, root.depth <= Self.depthMax else {
                throw Fault(page: root.page, reason: "its tree cannot be \(root.depth) pages deep")
            }
            try visit(root.page, level: 1, &tree)
        }
        guard
            (tree.branchPages, tree.leafPages, tree.overflowPages, tree.rows)
                == (root.branchPages, root.leafPages, root.overflowPages, root.rows)
        else {
            throw Fault(page: root.page, reason: "the tree below it does not have the pages and rows that it should")
        }
    }

    private mutating func visit(_ number: UInt64, level: UInt16, _ tree: inout Tree) throws(Fault) {
        let page = try take(number)
        let isLeaf = level == tree.root.depth
        guard page.short(at: 10) == (isLeaf ? Flag.leaf : Flag.branch) else {
            throw Fault(page: number, reason: "it is not of the kind that belongs there")
        }
        let (lower, upper) = (Int(page.short(at: 12)), Int(page.short(at: 14)))
        guard lower >= Self.header, lower % 2 == 0, lower <= upper, upper <= pageSize else {
            throw Fault(page: number, reason: "its bounds are impossible")
        }
        let count = (lower - Self.header) / 2
        guard count >= (isLeaf ? 1 : 2) else { throw Fault(page: number, reason: "it is empty") }
        if isLeaf { tree.leafPages += 1 } else { tree.branchPages += 1 }
        for index in 0..<count {
            let node = Int(page.short(at: Self.header + index * 2))
            guard node >= upper, node + Self.nodeHeader <= pageSize else {
                throw Fault(page: number, reason: "its row \(index) lies outside of it")
            }
            let keyLength = Int(page.short(at: node + 6))
            let data = node + Self.nodeHeader + keyLength
            guard keyLength <= Self.keyMax, data <= pageSize else {
                throw Fault(page: number, reason: "the key of its row \(index) lies outside of it")
            }
            let key = Array(page.bytes[(node + Self.nodeHeader)..<data])
            if isLeaf {
                try checkOrder(key, on: number, &tree)
                try checkRow(page, number, node, data, key, &tree)
            } else {
                // The first key of a branch stands for all that is less than the second.
                if index > 0 {
                    guard tree.isFreeList || tree.lastKey.map({ $0.lexicographicallyPrecedes(key) }) ?? false else {
                        throw Fault(page: number, reason: "its keys are out of order")
                    }
                    tree.floor = key
                }
                try visit(page.child(at: node), level: level + 1, &tree)
            }
        }
    }

    private func checkOrder(_ key: [UInt8], on number: UInt64, _ tree: inout Tree) throws(Fault) {
        defer {
            tree.lastKey = key
            tree.floor = nil
            tree.rows += 1
        }
        // The list of free pages has numbers of this machine's byte order as keys.
        guard !tree.isFreeList else {
            guard key.count == 8 else { throw Fault(page: number, reason: "a key of the free pages is no number") }
            return
        }
        guard !key.isEmpty, tree.lastKey.map({ $0.lexicographicallyPrecedes(key) }) ?? true,
            tree.floor.map({ !key.lexicographicallyPrecedes($0) }) ?? true
        else { throw Fault(page: number, reason: "its keys are out of order") }
    }

    private mutating func checkRow(
        _ page: Page, _ number: UInt64, _ node: Int, _ data: Int, _ key: [UInt8], _ tree: inout Tree
    ) throws(Fault) {
        let length = Int(page.short(at: node)) | Int(page.short(at: node + 2)) << 16
        let flags = page.short(at: node + 4)
        let isBig = flags == Flag.bigNode
        guard flags == 0 || isBig || flags == Flag.tableNode && length == Root.byteCount,
            data + (isBig ? 8 : length) <= pageSize
        else { throw Fault(page: number, reason: "the value of one of its rows lies outside of it") }
        let value =
            isBig ? try overflow(from: page.number(at: data), length, &tree) : page.bytes[data..<(data + length)]
        if flags == Flag.tableNode {
            try check(value.withUnsafeBytes { Root($0) }, isFreeList: false)
        } else if tree.isFreeList {
            try listFree(Array(value), on: number)
        }
    }

    /// A value on pages of its own.
    private mutating func overflow(
        from first: UInt64, _ length: Int, _ tree: inout Tree
    ) throws(Fault) -> ArraySlice<UInt8> {
        let start = try take(first)
        let count = UInt64((Self.header + length + pageSize - 1) / pageSize)
        let written = UInt64(start.short(at: 12)) | UInt64(start.short(at: 14)) << 16
        guard start.short(at: 10) == Flag.overflow, written == count, count <= pageCount - first else {
            throw Fault(page: first, reason: "it is not the beginning of a value of \(length) bytes")
        }
        for page in (first + 1)..<(first + count) {
            guard !isUsed[Int(page)] else { throw Fault(page: page, reason: "it is used twice") }
            isUsed[Int(page)] = true
        }
        tree.overflowPages += count
        guard tree.isFreeList else { return [] }
        let bytes = read(at: Int(first) * pageSize + Self.header, length)
        guard bytes.count == length else { throw Fault(page: first, reason: "it cannot be read") }
        return bytes[...]
    }

    private mutating func listFree(_ value: [UInt8], on number: UInt64) throws(Fault) {
        let numbers = stride(from: 0, to: value.count - 7, by: 8).map { offset in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(value[offset + $1]) << UInt64($1 * 8) }
        }
        guard let count = numbers.first, count < UInt64(numbers.count) else {
            throw Fault(page: number, reason: "its list of free pages is longer than it can be")
        }
        for page in numbers[1...Int(count)] { freePages.append((page, number)) }
    }

    // MARK: Pages

    private struct Page {
        let bytes: [UInt8]

        func short(at offset: Int) -> UInt16 {
            UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8
        }

        func number(at offset: Int) -> UInt64 {
            (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64($1 * 8) }
        }

        /// The page below a branch's node: 48 bits over three fields.
        func child(at node: Int) -> UInt64 {
            UInt64(short(at: node)) | UInt64(short(at: node + 2)) << 16 | UInt64(short(at: node + 4)) << 32
        }
    }

    /// A page that nobody else refers to, and that has its own number.
    private mutating func take(_ number: UInt64) throws(Fault) -> Page {
        guard number < pageCount, number <= lastPage else { throw Fault(page: number, reason: "it is not in the file") }
        guard !isUsed[Int(number)] else { throw Fault(page: number, reason: "it is used twice") }
        isUsed[Int(number)] = true
        let page = Page(bytes: read(at: Int(number) * pageSize, pageSize))
        guard page.bytes.count == pageSize, page.number(at: 0) == number else {
            throw Fault(page: number, reason: "another page is in its place")
        }
        return page
    }

    private func read(at offset: Int, _ length: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, length, off_t(offset)))
        }
    }
}
