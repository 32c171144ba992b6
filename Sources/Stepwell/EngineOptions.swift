import Glibc
package import StepwellEngine

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
    package var limits = Limits()
    package var clock: any WallClock = SystemClock()
    package var observers = Observers()

    public init() {}
}

private let coreCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
