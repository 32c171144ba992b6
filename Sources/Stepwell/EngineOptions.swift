import Glibc
package import StepwellEngine
package import StepwellLog
package import StepwellModel

/// What an engine may use, and what it tells of itself.
public struct EngineOptions: Sendable {
    /// How many attempts the handlers of one ``Engine/register(_:)`` call run at the same time.
    public var slots: Int = max(16, 4 * coreCount)
    /// How many commands run at the same time.
    public var commandSlots: Int = max(4, 2 * coreCount)
    /// The largest result or checkpoint, in bytes.
    public var resultBytesMax: Int {
        get { limits.resultBytesMax }
        set { limits.resultBytesMax = newValue }
    }
    /// A folder with one file for each secret that templates name with `secret:NAME`. Else `$CREDENTIALS_DIRECTORY` and
    /// the environment's `STEPWELL_SECRET_NAME` are looked up, as they are when the folder has no such file.
    public var secretsDirectory: String?
    /// Why the engine is started, for the log.
    public var reason: String?
    package var limits = Limits()
    package var clock: any MachineClock = SystemClock()
    package var observers = Observers()
    /// Open the store for changes alone: nothing is run.
    package var isPassive = false
    /// Nothing is given to workers before the engine is released.
    package var isHeld = false
    /// The one task to work on, asked for when the store is open; nil for all.
    package var focus: @Sendable (any EventReader) throws -> TaskID? = { _ in nil }

    public init() {}
}

private let coreCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
