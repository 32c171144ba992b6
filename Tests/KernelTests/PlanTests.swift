import StepwellKernel
import StepwellModel
import Testing

@Suite("What a template's graph says")
struct PlanTests {
    private let plan = Plan(
        .of(steps("a, b, c < a, d < a b, e < d c, f < e a")), digest: TemplateDigest([1]))

    @Test("Roots have no dependencies, and dependents come in the template's order")
    func edges() {
        #expect(plan.roots == [0, 1])
        #expect((0..<6).map { plan.dependents(of: $0).map(Int.init) } == [[2, 3, 5], [3], [4], [4], [5], []])
        #expect(plan.stepCount == 6)
    }

    @Test("A step is found by its name")
    func names() {
        #expect(plan.index(of: "e") == 4)
        #expect(plan.index(of: "z") == nil)
    }

    @Test("Ancestors are direct and farther dependencies, and nothing else")
    func ancestors() {
        let ancestors = (0..<6).map { step in (0..<6).filter { plan.isAncestor($0, of: step) } }
        #expect(ancestors == [[], [], [0], [0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]])
    }

    @Test("The farther ancestors come nearest first, without the direct ones, as many as are asked for")
    func fartherAncestors() {
        #expect(plan.fartherAncestors(of: 4, limit: 9) == [0, 1])
        #expect(plan.fartherAncestors(of: 5, limit: 9) == [3, 2, 1])
        #expect(plan.fartherAncestors(of: 5, limit: 2) == [3, 2])
        #expect(plan.fartherAncestors(of: 2, limit: 9) == [])
    }

    @Test("A dependency that is named twice has its dependent twice")
    func namedTwice() {
        let plan = Plan(.of(steps("a, b < a a")), digest: TemplateDigest([2]))
        #expect(plan.dependents(of: 0) == [1, 1])
    }
}
