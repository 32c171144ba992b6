import Glibc
import StepwellLog
import StepwellModel

/// Which store a command means: `--store`, else `STEPWELL_STORE`, else `./.stepwell`.
struct StoreLocation {
    let path: String
    let isFromEnvironment: Bool

    init(_ arguments: Arguments) {
        let environment = getenv("STEPWELL_STORE").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        isFromEnvironment = arguments[.store] == nil && environment != nil
        path = arguments[.store] ?? environment ?? ".stepwell"
    }

    /// Opens the store for reading, beside an engine that may be writing it.
    func reader() throws(LogError) -> LMDBReader {
        try LMDBReader(path: path)
    }

    /// Asks the store something and lets go of it again: an engine of this process may open it after.
    func ask<Answer>(_ question: (LMDBReader) throws -> Answer) throws -> Answer {
        try question(reader())
    }
}
