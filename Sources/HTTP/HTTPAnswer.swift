/// What a server answered.
public struct HTTPAnswer: Sendable {
    public var status: Int
    public var body: [UInt8]
    /// In the order in which they came; the names in small letters.
    public var headers: [(name: String, value: String)]

    /// The value of a header; its name in small letters.
    public func header(_ name: String) -> String? {
        headers.last { $0.name == name }?.value
    }
}
