package import StepwellModel

/// Sizes, counts and times that bound what clients can make the server hold.
package struct HTTPLimits: Sendable {
    /// Connections at the same time, over all.
    package var connectionsMax = 16_384
    /// Memory of one connection for a request's line and headers, in bytes.
    package var headerBytesMax = 16 << 10
    /// The largest body of a request, in bytes; a route may allow more.
    package var bodyBytesMax = 16 << 20
    /// Bodies that are being received, in bytes, over all connections.
    package var bodiesBytesMax = 512 << 20
    /// How long a connection may take until the headers of a request are complete; also how long it may be idle.
    package var headerTime = Milliseconds.seconds(60)
    /// How long the body of a request may take.
    package var bodyTime = Milliseconds.seconds(120)
    /// How long a client may take to read a piece of 32 KiB of an answer.
    package var sendTime = Milliseconds.seconds(60)
    /// How often all connections are looked at for clients that are gone, or take too long.
    package var lookPause = Milliseconds(500)
    /// Threads that serve connections. More than there may be cores: the library walks all that sleep on a thread to wake one of them.
    package var threads = 8

    package init() {}
}
