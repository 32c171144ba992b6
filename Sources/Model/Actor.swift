/// Who caused a fact. A decision has no actor of its own: it follows from a fact.
public struct Actor: Hashable, Sendable {
    /// The numbers are those of the log and never change.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case scheduler = 0
        case engine = 1
        case worker = 2
        case client = 3
        case `operator` = 4

        public var name: String {
            switch self {
            case .scheduler: "scheduler"
            case .engine: "engine"
            case .worker: "worker"
            case .client: "client"
            case .operator: "operator"
            }
        }
    }

    public var kind: Kind
    /// A worker's name, a user's login; may be empty.
    public var id: String

    public init(_ kind: Kind, id: String = "") {
        self.kind = kind
        self.id = id
    }

    public static let scheduler = Actor(.scheduler)
    public static let engine = Actor(.engine)
}
