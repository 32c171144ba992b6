import Glibc
import Stepwell
import StepwellModel

/// How far a follower of the log has come, and how it fares: what must outlive the process.
struct Cursor: Hashable, Sendable {
    /// Everything up to this event has been delivered, or is not for this destination.
    var after: SequenceNumber
    /// Since when nothing could be delivered.
    var failingSince: Timestamp?
    var disabledAt: Timestamp?
    var lastError: String?

    init(after: SequenceNumber) {
        self.after = after
    }
}

/// The file that keeps a ``Cursor``. It may be behind what was delivered, never ahead of it: a restart repeats, and loses nothing.
struct CursorFile: Sendable {
    let path: String

    /// Nil when there is none, or what is there is not what was written.
    func read() -> Cursor? {
        guard access(path, F_OK) == 0, let bytes = try? Files.read(path), let json = (try? JSONText(bytes))?.json,
            let after = json["after"]?.int, after >= 0
        else { return nil }
        var cursor = Cursor(after: SequenceNumber(UInt64(after)))
        cursor.failingSince = json["failing_since"]?.string.flatMap(Timestamp.init)
        cursor.disabledAt = json["disabled_at"]?.string.flatMap(Timestamp.init)
        cursor.lastError = json["last_error"]?.string
        return cursor
    }

    func write(_ cursor: Cursor) throws(FileError) {
        let json: JSON = [
            "after": .number(String(cursor.after.rawValue)),
            "failing_since": cursor.failingSince.map { .string($0.description) } ?? .null,
            "disabled_at": cursor.disabledAt.map { .string($0.description) } ?? .null,
            "last_error": cursor.lastError.map(JSON.string) ?? .null,
        ]
        try AtomicFile.write(json.encoded + [0x0A], to: path)
    }

    func remove() { unlink(path) }
}
