import StepwellLog
package import StepwellModel

/// Why a bundle cannot be made or taken in. Nothing was changed.
package enum BundleError: StepwellError, Hashable {
    case notABundle
    case otherVersion(String)
    /// What the line says cannot be what was exported.
    case damaged(line: Int, String)
    case truncated
    /// The bundle's task cannot be in this store.
    case foreign(path: String, String)
    case nothingRedacted(pointer: String)
    case badPointer(String)
    /// The file is not the one whose hash was noted.
    case other(found: [UInt8], noted: [UInt8])
    /// What was noted is not the file's hash but the hash of a task's state, which says nothing of inputs and results.
    case stateHash(TaskID)

    package var code: String {
        switch self {
        case .notABundle: "not_a_bundle"
        case .otherVersion: "bundle_version"
        case .damaged: "bundle_corrupt"
        case .truncated: "bundle_truncated"
        case .foreign: "foreign_bundle"
        case .nothingRedacted: "nothing_redacted"
        case .badPointer: "bad_pointer"
        case .other, .stateHash: "other_bundle"
        }
    }

    package var message: String {
        switch self {
        case .notABundle: "the file is not one of 'stepwell export'"
        case .otherVersion(let version): "the file has version \(version); this version of Stepwell reads version 1"
        case .damaged(let line, let what): "line \(line): \(what)"
        case .truncated: "the file has no end: it was cut off"
        case .foreign(let path, let why): "the run cannot be put into the store '\(path)': \(why)"
        case .nothingRedacted(let pointer):
            "'\(pointer)' is in no input, result, checkpoint or metadata of the task; nothing was written"
        case .other(let found, let noted):
            "the file has the SHA-256 \(hexadecimal(found)), not \(hexadecimal(noted)); nothing was imported"
        case .stateHash(let task):
            "that is the hash of the state of task \(task), which does not bind its input and results; nothing was imported"
        case .badPointer(let pointer): "'\(pointer)' is no JSON pointer: it begins with '/', such as '/user/password'"
        }
    }

    package var cure: String? {
        switch self {
        case .notABundle, .nothingRedacted, .badPointer: nil
        case .other: "ask for the file again, or for the hash, on another way"
        case .stateHash:
            "take the SHA-256 that 'stepwell export' has told, or that 'sha256sum' gives where it was exported"
        case .otherVersion: "read it with a newer version of Stepwell"
        case .damaged, .truncated: "copy or export it again; nothing was changed"
        case .foreign: "name another directory with --store; one that does not exist is made"
        }
    }
}
