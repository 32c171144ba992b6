/// The version of Stepwell, by semantic versioning.
public let stepwellVersion = "0.1.0"
