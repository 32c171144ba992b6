/// What one connection sends in one go: registrations, the polls of the new sessions, and then whatever is almost right. Which
/// requests it is made of follows from the seed and its number alone.
struct Batch {
    enum Phase {
        case register
        case poll
        case bent
    }

    let number: Int
    private(set) var phase: Phase
    private(set) var sessions: [Session] = []
    private var dice: Dice
    private static let requestsCount = 64
    private static let sessionsCount = 16
    private static let crewCount = 4
    /// Whether its connection is cut before its answers have come.
    private(set) var isCut = false

    /// A lease that was given once: what comes with it is late, but it is no lie.
    private(set) var lease: [UInt8]

    init(seed: UInt64, number: Int, lease: [UInt8] = Array("17".utf8)) {
        self.number = number
        self.lease = lease
        dice = Dice(seed, UInt64(number) &* 0x2545_F491_4F6C_DD1D)
        phase = dice.chance(600) ? .register : .bent
    }

    /// The requests of the phase.
    mutating func write(_ writer: inout RequestWriter, _ corpus: Corpus) {
        writer.removeAll()
        switch phase {
        case .register:
            // Of a session that has nothing to do, whatever is reported is malformed: its state would not be tried. So now and then
            // there is work for the first few.
            let isSupplied = dice.chance(200)
            for place in 0..<Self.sessionsCount {
                writer.add(dice.pick(corpus.entries[isSupplied && place < Self.crewCount ? .crew : .hello]!))
            }
            if isSupplied { writer.add(dice.pick(corpus.entries[.supply]!)) }
        case .poll:
            for session in sessions { writer.add(dice.pick(corpus.entries[.poll]!), session) }
        case .bent: writeBent(&writer, corpus)
        }
    }

    private mutating func writeBent(_ writer: inout RequestWriter, _ corpus: Corpus) {
        isCut = dice.chance(20)
        var place = 0
        for _ in 0..<Self.requestsCount {
            if place < sessions.count, dice.chance(850) {
                // What cannot be read ends a session: the next one is taken.
                if dice.chance(100) {
                    writer.addBent(dice.pick(corpus.entries[.poll]!), sessions[place], &dice)
                    place += 1
                    continue
                }
                sessions[place].number += 1
                if dice.chance(500) {
                    writer.add(dice.pick(corpus.entries[.worker]!), sessions[place])
                } else {
                    writer.addBent(dice.pick(corpus.entries[.worker]!), sessions[place], &dice)
                    if dice.chance(900) { place += 1 }
                }
            } else {
                switch dice.below(40) {
                case 0: writer.add(dice.pick(corpus.entries[.exact]!))
                case 1: writer.addBent(dice.pick(corpus.entries[.hello]!), nil, &dice)
                default: writer.addBent(dice.pick(corpus.entries[.client]!), nil, &dice)
                }
            }
        }
        if dice.chance(40) {
            writer.addBent(dice.pick(corpus.entries[.loose]!), sessions.first, &dice)
            writer.setLastLoose()
        } else if dice.chance(200) {
            writer.breakLast(&dice)
        }
    }

    /// Goes on to the next phase with what the answers have said; false at the end.
    mutating func advance() -> Bool {
        switch phase {
        case .register: phase = sessions.isEmpty ? .bent : .poll
        case .poll: phase = .bent
        case .bent: return false
        }
        return true
    }

    /// Takes from an answer what later requests need.
    mutating func take(_ body: ArraySlice<UInt8>, of place: Int) {
        switch phase {
        case .register:
            if let id = Self.value(in: body, of: "\"worker_id\":\"", until: UInt8(ascii: "\"")) {
                sessions.append(Session(id: id, lease: lease))
            }
        case .poll:
            if place < sessions.count, let lease = Self.value(in: body, of: "\"lease\":", until: UInt8(ascii: ",")) {
                sessions[place].lease = lease
                self.lease = lease
            }
        case .bent: break
        }
    }

    private static func value(in body: ArraySlice<UInt8>, of name: String, until end: UInt8) -> [UInt8]? {
        guard let found = body.firstRange(of: Array(name.utf8)),
            let last = body[found.upperBound...].firstIndex(of: end)
        else { return nil }
        return Array(body[found.upperBound..<last])
    }
}
