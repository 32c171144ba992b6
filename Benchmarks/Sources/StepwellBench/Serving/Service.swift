import Foundation

/// `stepwell serve`, as its users run it, on a new store.
final class Service {
    let port: Int
    private let child: Child
    private let errors: FileHandle

    /// Each step of the template calls the handler `large` of the conformance workers, told to give nothing large.
    private static func template(_ name: String, _ steps: [(name: String, needs: [String])]) -> String {
        "name: \(name)\nnamespace_name: bench\nversion: 1.0.0\nsteps:\n"
            + steps.map { step in
                "- {name: \(step.name), handler: {callable: large, initialization: {bytes: 0}}"
                    + (step.needs.isEmpty ? "}\n" : ", dependencies: [\(step.needs.joined(separator: ", "))]}\n")
            }.joined()
    }

    /// The shape of the analytics pipeline.
    private static let pipeline = template(
        "pipeline",
        [
            ("extract_sales", []), ("extract_inventory", []), ("extract_customers", []),
            ("transform_sales", ["extract_sales"]), ("transform_inventory", ["extract_inventory"]),
            ("transform_customers", ["extract_customers"]),
            ("aggregate", ["transform_sales", "transform_inventory", "transform_customers"]),
            ("insights", ["aggregate"]),
        ])
    static let pipelineSteps = 8

    init(_ scratch: Scratch) throws {
        let folder = scratch.path + "/templates"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        _ = try scratch.write("templates/pipeline.yaml", Self.pipeline)
        _ = try scratch.write("templates/single.yaml", Self.template("single", [("only", [])]))
        child = try Child(
            [
                try Program(store: scratch.store).path, "serve", "--listen", "127.0.0.1:0", "--store", scratch.store,
                "--templates", folder,
            ], in: scratch.path, reads: 2)
        let errors = FileHandle(fileDescriptor: child.output, closeOnDealloc: true)
        var said = ""
        while true {
            let bytes = errors.availableData
            guard !bytes.isEmpty else { throw OptionError(message: "the server has ended: \(said)") }
            said += String(decoding: bytes, as: UTF8.self)
            if let found = said.firstMatch(of: /listening on http:\/\/127\.0\.0\.1:([0-9]+)/), let port = Int(found.1) {
                self.port = port
                break
            }
        }
        errors.readabilityHandler = { _ = $0.availableData }
        self.errors = errors
    }

    var anonymousBytes: Double { child.anonymousBytes }

    func stop() {
        child.stop()
        errors.readabilityHandler = nil
    }
}
