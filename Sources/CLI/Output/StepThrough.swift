import Glibc
import StepwellHistory
import StepwellLog
import StepwellModel

/// A walk through a task's events on a terminal: one event on the screen, with its cause, what it moved, and the steps as they
/// were after it.
struct StepThrough {
    let walk: TaskWalk
    let reader: LMDBReader

    private static let page = 10

    func run(from start: Int) throws -> ExitCode {
        guard RawTerminal.enter() else { throw UsageError("the terminal cannot be used; try '-o jsonl'") }
        defer { RawTerminal.leave() }
        var place = start
        var drawnSize: Terminal.Size?
        while true {
            // The terminal may have another size by now, which nothing tells.
            let size = Terminal.size
            if size != drawnSize { try draw(place, size) }
            drawnSize = size
            for key in RawTerminal.keys() {
                switch key {
                case .quit: return .success
                case .interrupt: return .interrupted
                default: place = move(place, key)
                }
                drawnSize = nil
            }
        }
    }

    private func move(_ place: Int, _ key: RawTerminal.Key) -> Int {
        let last = walk.frames.count - 1
        switch key {
        case .next: return min(last, place + 1)
        case .previous: return max(0, place - 1)
        case .pageForward: return min(last, place + Self.page)
        case .pageBack: return max(0, place - Self.page)
        case .first: return 0
        case .last: return last
        case .nextFailure: return walk.failure(from: place, forward: true) ?? place
        case .previousFailure: return walk.failure(from: place, forward: false) ?? place
        case .quit, .interrupt, .other: return place
        }
    }

    private func draw(_ place: Int, _ size: Terminal.Size) throws {
        var lines = try text(place, height: size.rows)
        lines = Array(lines.prefix(max(1, size.rows - 1)))
        let clear = "\u{1B}[H\u{1B}[2J"
        let body = lines.map { $0.text.printable.cut(to: size.columns - 1).colored($0.color, if: true) }
        let help = "q quit   ← → walk   f F failures   Home End".cut(to: size.columns - 1).colored(.gray, if: true)
        Terminal.write(
            clear + body.joined(separator: "\r\n") + "\u{1B}[\(size.rows);1H" + help, to: STDOUT_FILENO)
    }

    private struct Line {
        var text: String
        var color: Color
    }

    private func text(_ place: Int, height: Int) throws -> [Line] {
        let frame = walk.frames[place]
        let names = walk.template.steps.map(\.name)
        var lines = [
            Line(
                text: "\(walk.template.name) \(walk.id.short)  event \(place + 1) of \(walk.frames.count)", color: .bold
            ),
            Line(text: frame.record.line(names), color: .bold),
        ]
        if frame.record.isDecision, let cause = try reader.event(frame.record.cause) {
            // The cause may be another task's, or the engine's.
            let steps = cause.task == walk.id ? names : nil
            lines.append(Line(text: "because of \(cause.line(steps))", color: .gray))
        }
        lines += frame.changeLines(names).map { Line(text: "  \($0)", color: .yellow) }
        lines.append(Line(text: "", color: .gray))
        return lines + (try tree(frame, room: height - lines.count - 2))
    }

    /// The steps after the event; where they do not fit, those around the first that it moved.
    private func tree(_ frame: TaskWalk.Frame, room: Int) throws -> [Line] {
        guard let report = try TaskReport.read(walk.id, from: reader, at: .event(frame.record.number)) else {
            return []
        }
        let all = TaskTree(walk.template).lines
        let width = all.map { $0.branch.count + report.steps[$0.step].name.count }.max() ?? 0
        let changed = Set(frame.changes.map(\.step))
        let focus = all.firstIndex { changed.contains($0.step) } ?? 0
        let room = max(1, room)
        let start = max(0, min(focus - room / 2, all.count - room))
        return all[start..<min(all.count, start + room)].map { line in
            let step = report.steps[line.step]
            let mark = changed.contains(line.step) ? "▸" : " "
            let name = (line.branch + step.name).padded(to: width)
            return Line(
                text: "\(mark) \(step.state.symbol) \(name)  \(step.state.name.padded(to: 17)) \(step.facts)",
                color: step.state.color)
        }
    }
}
