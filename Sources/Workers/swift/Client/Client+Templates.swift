public import StepwellModel

extension Client {
    /// Makes a template known, from its YAML. A known version must have the same text.
    /// - Parameter environment: the overrides of that name under `environments` are applied.
    @discardableResult
    public func putTemplate(_ yaml: String, environment: String? = nil) async throws -> RemoteTemplate {
        let path = "/v1/templates" + query([("environment", environment)])
        return try await ask("PUT", path, Array(yaml.utf8), contentType: "application/yaml") {
            json throws(BadAnswer) in try RemoteTemplate(json)
        }
    }

    /// All templates that the server knows.
    public func templates() async throws -> [RemoteTemplate] {
        try await ask("GET", "/v1/templates") { json throws(BadAnswer) in
            try json.list("templates") { template throws(BadAnswer) in try RemoteTemplate(template) }
        }
    }

    /// What a template says; without a version the newest.
    public func template(_ namespace: String, _ name: String, version: String? = nil) async throws -> JSON {
        try await ask("GET", path("templates", namespace, name) + query([("version", version)])) { $0 }
    }

    /// A drawing of a template's steps.
    public func drawTemplate(
        _ namespace: String, _ name: String, version: String? = nil, format: DrawingFormat = .text
    ) async throws -> String {
        let query = query([("version", version), ("format", format.rawValue)])
        return try await askForText(path("templates", namespace, name, "graph") + query)
    }

    /// What is wrong with a template's YAML; the server does not keep it.
    /// - Parameter environment: the overrides of that name under `environments` are applied.
    public func validateTemplate(_ yaml: String, environment: String? = nil) async throws -> RemoteValidation {
        let path = "/v1/templates/validate" + query([("environment", environment)])
        return try await ask("POST", path, Array(yaml.utf8), contentType: "application/yaml") {
            json throws(BadAnswer) in try RemoteValidation(json)
        }
    }
}
