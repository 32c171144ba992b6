import CLinux
import Glibc
import StepwellLog
import StepwellModel

/// What is told when a fault ends this process. LMDB trusts its pages, and a damaged one may lead it anywhere. So the process
/// becomes one that has not touched the store, looks at all its pages, and says which is damaged; if none is, the fault was this
/// program's own: it says so, and ends by it.
enum FaultReport {
    private static let word = "--after-signal="

    /// From now on a fault is reported in this way.
    static func prepare(store path: String) {
        let words = ["stepwell", word + "00", path, Self.commit(of: path)]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        guard let option = arguments[1] else { return }
        arguments.append(nil)
        // Never given back: the handler needs it to the last.
        let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: arguments.count)
        list.initialize(from: arguments, count: arguments.count)
        linux_on_fault(list, option + word.utf8.count)
    }

    /// Which of LMDB's commits is the last: another one means that pages may have been used again.
    private static func commit(of path: String) -> String {
        LMDBReader.lastTransaction(path: path).map { "\($0)" } ?? ""
    }

    /// What to do in the process that another has become; nil in every other one.
    static func code(for words: [String]) throws -> ExitCode? {
        guard words.count == 3, words[0].hasPrefix(word), let signal = Int32(words[0].dropFirst(word.count)) else {
            return nil
        }
        // An engine may have gone on writing: only what is found again is damage.
        for round in 1...3 where LMDBReader.isThere(path: words[1]) {
            do throws(LogError) {
                try LMDBReader.checkPages(path: words[1])
                break
            } catch {
                if round == 3 { throw error }
            }
        }
        // An engine reads no pages that it uses again; it has this process id still.
        let engine = LMDBReader.engineProcess(on: words[1])
        if engine != Int(getpid()), engine != nil || commit(of: words[1]) != words[2] {
            throw PagesChanged(path: words[1])
        }
        note("error: \(OwnFault(signal: signal))")
        linux_die(signal)
        return .failure
    }
}

/// No page of the store explains the fault.
private struct OwnFault: StepwellError {
    let signal: Int32

    var code: String { "internal_fault" }
    var message: String {
        let name = linux_signal_name(signal).map { "SIG" + String(cString: $0) } ?? "signal \(signal)"
        return "a fault of stepwell's own has ended it (\(name)); the pages of the store are sound"
    }
    var cure: String? { "run the command again: it goes on where it was. Please report what you did" }
}

/// What a reader has stumbled over is not there any more.
private struct PagesChanged: StepwellError {
    let path: String

    var code: String { "pages_changed" }
    var message: String { "an engine has used pages of the store '\(path)' again while they were read; they are sound" }
    var cure: String? {
        "run the command again. If it happens again, 'lock.mdb' was deleted or is on a network disk: stop the engine first"
    }
}
