import StepwellLog
package import StepwellModel

extension WorkerJoin {
    /// The worker as lists show it.
    /// - Parameter running: how many attempts it holds.
    package func json(running: Int) -> JSON {
        [
            "name": .string(name), "kind": .string(kind.name),
            "handlers": .array(handlers.map { ["name": .string($0.name), "version": .string($0.version)] }),
            "concurrency": .number(String(slots)), "running": .number(String(running)),
            "namespaces": .array(namespaces.map(JSON.string)), "labels": labelsJSON,
        ]
    }
}
