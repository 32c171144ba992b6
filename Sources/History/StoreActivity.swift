package import StepwellLog

/// Whether anything goes on in a store.
package enum StoreActivity: Hashable, Sendable {
    case atWork
    /// A server is at work: it has workers of its own, and goes on by itself with whatever can.
    case served
    /// No engine has the store.
    case idle
    /// The store holds tasks of another one: no engine ever works on it.
    case imported
    /// Nobody has looked, or it was asked about the past.
    case unknown
}

extension LMDBReader {
    package func activity() throws(LogError) -> StoreActivity {
        if try origin()?.kind == .imported { return .imported }
        return isEngineAtWork ? .atWork : .idle
    }
}
