import StepwellModel

/// Brings the fields of older shapes of events up to date, so that nothing above the codec knows of versions.
///
/// All shapes are at version 1, so there is nothing to do yet. The first change adds its `case` here, and a log of the
/// release before it to the tests.
enum EventUpcast {
    @inline(__always)
    static func upcast(_ fields: inout StepFields, type: EventType, version: Int) {}
}
