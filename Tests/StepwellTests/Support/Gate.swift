import Synchronization

/// Holds one who comes until somebody opens it. Whoever is cancelled passes.
struct Gate: Sendable {
    private let openings: AsyncStream<Void>
    private let opening: AsyncStream<Void>.Continuation

    init() { (openings, opening) = AsyncStream.makeStream(of: Void.self) }

    func open() { opening.finish() }

    func pass() async { for await _ in openings {} }
}

/// Counts, whoever calls.
final class Counter: Sendable {
    private let count = Atomic(0)

    /// The number of this call, from 1.
    @discardableResult
    func next() -> Int { count.add(1, ordering: .relaxed).newValue }

    var value: Int { count.load(ordering: .relaxed) }
}

/// Keeps what is put into it, in the order in which it came.
final class Basket<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    func put(_ element: Element) { elements.withLock { $0.append(element) } }

    var content: [Element] { elements.withLock { $0 } }
}
