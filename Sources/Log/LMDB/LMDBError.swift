import CLMDB
import Glibc

/// A call into LMDB that failed: a code of LMDB's own (negative) or one of the system's.
struct LMDBError: Error {
    var code: Int32
    var operation: StaticString

    /// The map is too small for the transaction. It grows, and the transaction is done again.
    var isMapFull: Bool { code == MDB_MAP_FULL }

    /// A quota that is used up, or a limit on the size of files, is a full disk to whoever has to make room.
    var isDiskFull: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }

    var reason: String { String(cString: mdb_strerror(code)) }

    func logError(path: String) -> LogError {
        if isDiskFull { return .diskFull(path: path) }
        switch code {
        case MDB_CORRUPTED, MDB_PAGE_NOTFOUND: return .corrupt("LMDB says: \(reason)", at: nil)
        default: return .inputOutput(operation: "\(operation)", reason: reason)
        }
    }

    /// Throws unless `code` is success.
    @inline(__always)
    static func check(_ code: Int32, _ operation: StaticString) throws(LMDBError) {
        guard code == MDB_SUCCESS else { throw LMDBError(code: code, operation: operation) }
    }
}

extension LogError {
    /// Trouble while reading, where no path is needed to say what is wrong.
    init(reading error: LMDBError) {
        self = error.logError(path: "")
    }
}
