/// The version of Stepwell, by semantic versioning: of the engine, the server, and the Swift SDK.
public let stepwellVersion = "0.1.0"
