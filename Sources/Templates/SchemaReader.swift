import StepwellModel

/// Reads a JSON Schema that is written in YAML.
enum SchemaReader {
    /// The faults of one schema that are told: each is looked up from the root.
    private static let faultsMax = 100

    /// The schema as JSON, if it is one. Keywords that nobody would enforce make the template unsupported.
    static func read(_ key: String, of fields: Fields, _ owner: String? = nil) -> JSONText? {
        let findings = fields.findings
        guard let node = fields.node(key), fields.findings.entries(node, key) != nil else { return nil }
        let json = findings.json(node)
        do throws(JSONSchemaError) {
            let schema = try JSONSchema(json)
            for keyword in schema.unsupported.prefix(faultsMax) {
                findings.notSupported("\(key): \(keyword.message)", of: owner, at: node.node(at: keyword.pointer).place)
            }
            return JSONText(json)
        } catch {
            for fault in error.faults.prefix(faultsMax) {
                findings.error(
                    .badSchema, at: node.node(at: fault.pointer).place, "'\(key)' is no JSON Schema: \(fault.message)")
            }
            return nil
        }
    }
}
