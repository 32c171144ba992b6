import StepwellEngine
import StepwellKernel
public import StepwellModel

extension Engine {
    /// From now on no more attempts of the target run at once, and no more start in a time, than the limit says. It is kept in the
    /// store until it is removed or set anew; what runs goes on.
    /// - Throws: ``EngineError/rejected(_:)`` when the limit says nothing, or has a number out of bounds.
    public func setLimit(_ setting: LimitSetting, reason: String? = nil) async throws {
        try await setLimit(setting, reason: reason, by: Actor(.client))
    }

    package func setLimit(_ setting: LimitSetting, reason: String?, by actor: Actor) async throws {
        try await core.send(.setLimit(setting, reason: reason), by: actor)
    }

    /// Takes a limit away: what has waited for it goes on.
    /// - Throws: ``EngineError/rejected(_:)`` when there is none.
    public func removeLimit(of target: LimitTarget, reason: String? = nil) async throws {
        try await removeLimit(of: target, reason: reason, by: Actor(.client))
    }

    package func removeLimit(of target: LimitTarget, reason: String?, by actor: Actor) async throws {
        try await core.send(.removeLimit(target, reason: reason), by: actor)
    }

    /// The limits of the store, by their targets.
    public var limits: [LimitSetting] {
        get async throws {
            let now = core.clock.now()
            return try await core.ask { $0.limits(at: now).map(\.setting) }
        }
    }
}
