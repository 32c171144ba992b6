import StepwellModel

/// How long to wait before a parcel is sent again, and when to give up. Pure: the time and the dice are the caller's.
struct Patience: Hashable, Sendable {
    /// Nil: never.
    var giveUpAfter: Milliseconds?

    static let firstPause = Milliseconds(500)
    static let longestPause = Milliseconds.seconds(300)
    /// A receiver that asks for more gets this.
    static let askedMax = Milliseconds.seconds(3600)

    /// Doubles with each failure, and is up to a half shorter by chance, so that many senders do not come at the same moment.
    /// - Parameters:
    ///   - failures: in a row, from 1.
    ///   - asked: the receiver's `Retry-After`.
    func pause(failures: Int, asked: Milliseconds?, dice: UInt64) -> Milliseconds {
        if let asked, asked > .zero { return min(asked, Self.askedMax) }
        let doubled = Self.firstPause.rawValue << Int64(min(20, max(0, failures - 1)))
        let pause = min(doubled, Self.longestPause.rawValue)
        return Milliseconds(pause - Int64(dice % UInt64(pause / 2 + 1)))
    }

    func givesUp(failingSince since: Timestamp, at now: Timestamp) -> Bool {
        giveUpAfter.map { now.milliseconds - since.milliseconds >= $0.rawValue } ?? false
    }

    /// `Retry-After`: seconds, or a date such as `Wed, 21 Oct 2026 07:28:00 GMT`. Nil when it is neither.
    static func retryAfter(_ text: String, at now: Timestamp) -> Milliseconds? {
        if let seconds = Int64(text) { return seconds < 0 ? nil : Milliseconds(min(seconds, 1 << 31) * 1000) }
        let parts = text.split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])) else {
            return nil
        }
        let twoDigits = (month < 9 ? "0" : "") + String(month + 1)
        guard let time = Timestamp("\(parts[3])-\(twoDigits)-\(parts[1])T\(parts[4])Z") else { return nil }
        return Milliseconds(max(0, time.milliseconds - now.milliseconds))
    }
}
