import StepwellSimulation
import Testing

@testable import StepwellKernel

@Suite("The heap under queues and timers")
struct HeapTests {
    private func drained(_ heap: Heap<Int>) -> [Int] {
        var (heap, taken) = (heap, [Int]())
        while let top = heap.top {
            taken.append(top)
            heap.popTop()
        }
        return taken
    }

    @Test("It gives its elements in order, whatever order they came in")
    func order() {
        var random = SplitMix64(seed: 7)
        for count in [0, 1, 2, 3, 10, 500] {
            var heap = Heap<Int>()
            let elements = (0..<count).map { _ in random.number(0...99) }
            for element in elements { heap.push(element) { _ in true } }
            #expect(heap.count == count)
            #expect(drained(heap) == elements.sorted())
        }
    }

    @Test("An empty one gives nothing, and taking from it changes nothing")
    func empty() {
        var heap = Heap<Int>()
        #expect(heap.top == nil)
        heap.popTop()
        #expect(heap.count == 0)
    }

    @Test("What has lost its meaning is swept out, so that it does not pile up; what still holds stays")
    func sweeps() {
        var heap = Heap<Int>()
        for element in 0..<100_000 { heap.push(element) { $0 % 1000 == 0 } }
        #expect(heap.count < 5000)
        #expect(heap.sorted { $0 % 1000 == 0 } == (0..<100).map { $0 * 1000 })
        #expect(drained(heap).filter { $0 % 1000 == 0 } == (0..<100).map { $0 * 1000 })
    }

    @Test("As long as everything holds, nothing is swept out")
    func sweepsNothing() {
        var heap = Heap<Int>()
        for element in (0..<5000).reversed() { heap.push(element) { _ in true } }
        #expect(drained(heap) == Array(0..<5000))
    }
}
