/// What is told of a request when it is over.
package struct AnsweredRequest: Sendable {
    package var method: String
    /// As it came, without its query: that may hold what is nobody's business.
    package var path: String
    /// Nil when there was no answer.
    package var status: Int?
    /// Of the answer's body.
    package var bytes: Int
    package var microseconds: Int
    /// Who the client is; empty when nobody knows.
    package var actor: String
    /// The address of the connection's other end, or `unix`.
    package var remote: String
    /// The connection ended before the answer was out.
    package var isCut: Bool
}
