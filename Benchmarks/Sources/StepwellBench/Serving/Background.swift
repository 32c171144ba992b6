import Foundation

/// Something done on a thread of its own, looked at without waiting.
final class Background<Value: Sendable>: @unchecked Sendable {  // under the lock
    private let lock = NSLock()
    private var ended: Result<Value, any Error>?

    init(_ body: @escaping @Sendable () throws -> Value) {
        Thread.detachNewThread { [self] in
            let result = Result { try body() }
            lock.withLock { ended = result }
        }
    }

    var result: Result<Value, any Error>? { lock.withLock { ended } }
}
