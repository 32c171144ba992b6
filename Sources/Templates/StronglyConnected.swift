/// The strongly connected components of a graph: two nodes are in one component if each can be reached from the other.
///
/// Tarjan's algorithm with a stack of its own: a chain of a hundred thousand nodes would be too deep for the thread's.
struct StronglyConnected {
    /// The component of each node.
    private(set) var component: [Int]
    /// The number of nodes of each component.
    private(set) var sizes: [Int] = []

    private let edges: [[Int]]
    private var order: [Int]
    private var low: [Int]
    private var next = 0
    private var open: [Int] = []

    private static let none = -1

    static func components(of edges: [[Int]]) -> StronglyConnected {
        var search = StronglyConnected(edges)
        for node in edges.indices where search.order[node] == none { search.visit(from: node) }
        return search
    }

    private init(_ edges: [[Int]]) {
        self.edges = edges
        component = Array(repeating: Self.none, count: edges.count)
        order = component
        low = component
    }

    private mutating func visit(from start: Int) {
        var path = [(node: start, edge: 0)]
        enter(start)
        while let (node, edge) = path.last {
            guard edge < edges[node].count else {
                path.removeLast()
                leave(node)
                if let parent = path.last?.node { low[parent] = min(low[parent], low[node]) }
                continue
            }
            path[path.count - 1].edge += 1
            let target = edges[node][edge]
            if order[target] == Self.none {
                enter(target)
                path.append((target, 0))
            } else if component[target] == Self.none {
                low[node] = min(low[node], order[target])
            }
        }
    }

    private mutating func enter(_ node: Int) {
        order[node] = next
        low[node] = next
        next += 1
        open.append(node)
    }

    /// The first node of a component closes it, with all that were entered after.
    private mutating func leave(_ node: Int) {
        guard low[node] == order[node] else { return }
        sizes.append(0)
        while let last = open.popLast() {
            component[last] = sizes.count - 1
            sizes[sizes.count - 1] += 1
            if last == node { return }
        }
    }
}
