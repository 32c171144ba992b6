import StepwellHistory

/// One line on standard error that tells how far long work has come, written over and over; only on a terminal.
struct StatusLine {
    private let isShown = Terminal.stderrIsTerminal && Terminal.colorAllowed

    func show(_ text: String) {
        guard isShown else { return }
        // Back to the line's begin, and what follows goes.
        Terminal.write("\r\u{1B}[K" + text.cut(to: Terminal.width - 1), to: 2)
    }

    /// Takes the line away.
    func end() { show("") }
}
