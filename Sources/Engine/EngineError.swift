public import StepwellLog
public import StepwellModel

/// Why the engine did not do what it was asked.
public enum EngineError: StepwellError {
    /// A normal answer: nothing was changed.
    case rejected(Rejection)
    /// Too many commands wait already.
    case busy(waiting: Int)
    case stopped
    case log(LogError)

    public var code: String {
        switch self {
        case .rejected(let rejection): rejection.code
        case .busy: "busy"
        case .stopped: "engine_stopped"
        case .log(let error): error.code
        }
    }

    public var message: String {
        switch self {
        case .rejected(let rejection): rejection.message
        case .busy(let waiting): "\(waiting) commands wait already; this one was not taken"
        case .stopped: "the engine has stopped"
        case .log(let error): error.message
        }
    }

    public var cure: String? {
        switch self {
        case .rejected(let rejection): rejection.cure
        case .busy: "send it again a little later"
        case .stopped: nil
        case .log(let error): error.cure
        }
    }
}
