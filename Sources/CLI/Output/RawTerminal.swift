import Glibc
import Synchronization

/// The terminal as a canvas: keys come one by one, and what was on the screen is there again at the end, however the program
/// ends.
enum RawTerminal {
    private static let before = Mutex<termios?>(nil)

    enum Key: Hashable {
        case next, previous, first, last, pageForward, pageBack, nextFailure, previousFailure, quit, interrupt, other
    }

    /// Takes the terminal; false when it is none.
    static func enter() -> Bool {
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return false }
        before.withLock { $0 = settings }
        atexit { RawTerminal.leave() }
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
        settings.c_iflag &= ~tcflag_t(IXON | ICRNL)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) == 0 else { return false }
        // The other screen, and no cursor on it.
        Terminal.write("\u{1B}[?1049h\u{1B}[?25l", to: STDOUT_FILENO)
        return true
    }

    /// Gives the terminal back. On any thread, and any number of times.
    static func leave() {
        let settings = before.withLock { before in
            defer { before = nil }
            return before
        }
        guard var settings else { return }
        Terminal.write("\u{1B}[?25h\u{1B}[?1049l", to: STDOUT_FILENO)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }

    /// The keys that came, once there are some, or none after a quarter of a second. At the end of the input, `quit`.
    static func keys() -> [Key] {
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&input, 1, 250) > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        if count < 0, errno == EINTR { return [] }
        guard count > 0 else { return [.quit] }
        var rest = bytes[..<count]
        var keys: [Key] = []
        while !rest.isEmpty { keys.append(takeKey(&rest)) }
        return keys
    }

    private static func takeKey(_ rest: inout ArraySlice<UInt8>) -> Key {
        let byte = rest.removeFirst()
        guard byte == 0x1B else { return plain[byte] ?? .other }
        guard let kind = rest.first, kind == UInt8(ascii: "[") || kind == UInt8(ascii: "O") else { return .other }
        rest.removeFirst()
        // Parameters, and then the letter that names the key.
        let parameters = rest.prefix { 0x20...0x3F ~= $0 }
        rest = rest.dropFirst(parameters.count)
        guard let letter = rest.popFirst() else { return .other }
        let name =
            (letter == UInt8(ascii: "~") ? String(decoding: parameters, as: UTF8.self) : "")
            + String(UnicodeScalar(letter))
        return escaped[name] ?? .other
    }

    private static let plain: [UInt8: Key] = [
        UInt8(ascii: "j"): .next, UInt8(ascii: "l"): .next, UInt8(ascii: " "): .next, 0x0D: .next, 0x0A: .next,
        UInt8(ascii: "k"): .previous, UInt8(ascii: "h"): .previous, 0x7F: .previous, UInt8(ascii: "g"): .first,
        UInt8(ascii: "G"): .last, UInt8(ascii: "f"): .nextFailure, UInt8(ascii: "/"): .nextFailure,
        UInt8(ascii: "n"): .nextFailure, UInt8(ascii: "F"): .previousFailure, UInt8(ascii: "N"): .previousFailure,
        UInt8(ascii: "q"): .quit, 0x04: .quit, 0x03: .interrupt,
    ]

    private static let escaped: [String: Key] = [
        "A": .previous, "B": .next, "C": .next, "D": .previous, "H": .first, "F": .last, "1~": .first, "7~": .first,
        "4~": .last, "8~": .last, "5~": .pageBack, "6~": .pageForward,
    ]
}
