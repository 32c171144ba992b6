import CEpoll
import Foundation

/// Tells which of many connections have something to read.
final class Watch {
    private let descriptor: Int32
    private var ready = [epoll_event](repeating: epoll_event(), count: 1024)

    init(_ connections: some Sequence<Int32>) throws {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        for connection in connections {
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: connection))
            guard epoll_ctl(descriptor, EPOLL_CTL_ADD, connection, &event) == 0 else {
                throw OptionError(message: "a connection cannot be watched: errno \(errno)")
            }
        }
    }

    deinit { close(descriptor) }

    /// Waits until there are some, or for a tenth of a second.
    func readable() -> [Int32] {
        let count = epoll_wait(descriptor, &ready, Int32(ready.count), 100)
        return count > 0 ? ready[..<Int(count)].map(\.data.fd) : []
    }
}
