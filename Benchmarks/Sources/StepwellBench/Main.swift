import Foundation

@main
enum Main {
    static func main() async {
        do {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            if options.wantsHelp {
                print(Options.help)
            } else if let name = options.only {
                try await runOne(name, options)
            } else {
                try runAll(options)
            }
        } catch {
            note("error: \(error)")
            exit(1)
        }
    }

    /// A child: one run of one benchmark, in a directory that the parent has made.
    private static func runOne(_ name: String, _ options: Options) async throws {
        guard let benchmark = allBenchmarks.first(where: { $0.name == name }) else {
            throw OptionError(message: "there is no benchmark '\(name)'")
        }
        // With what it starts a group of its own, which the parent can end as a whole.
        setpgid(0, 0)
        let samples = try await benchmark.run(Scratch(path: options.directory), size: options.size)
        print(String(decoding: try JSONEncoder().encode(samples), as: UTF8.self))
    }

    private static func runAll(_ options: Options) throws {
        let all = allBenchmarks.filter { options.filters.isEmpty || options.filters.contains(where: $0.name.contains) }
        let wanted = all.filter { !($0 is DBOSPipeline) || DBOSPipeline.python != nil }
        if wanted.count < all.count { note("DBOS is left out: STEPWELL_PEERS_PYTHON names no Python that has it") }
        guard !wanted.isEmpty else { throw OptionError(message: "no benchmark has such a name; --help lists them") }
        var samples = [[Sample]](repeating: [], count: wanted.count)
        // Round by round, so that a machine that is busy for a while does not hit one benchmark alone.
        for round in 0..<options.runs {
            for (place, benchmark) in wanted.enumerated() where round < benchmark.runs ?? options.runs {
                note("run \(round + 1) of \(benchmark.runs ?? options.runs): \(benchmark.name)")
                samples[place] += try child(benchmark.name, options)
            }
        }
        var report = Report(size: options.size.rawValue)
        for (place, benchmark) in wanted.enumerated() { report.add(samples[place], of: benchmark.name) }
        for figure in report.figures { note(figure.line) }
        print(report.json)
    }

    /// The processes of the present run; 0 between two. Written by the one thread that starts them, read when a signal comes.
    nonisolated(unsafe) private static var group: pid_t = 0

    /// A run in a process of its own: nothing of an earlier run is left in memory. Nothing of it outlives its time, or an
    /// interruption.
    private static func child(_ name: String, _ options: Options) throws -> [Sample] {
        let scratch = try Scratch.make(in: options.directory)
        defer { scratch.remove() }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--only", name, "--directory", scratch.path] + (options.size == .quick ? ["--quick"] : [])
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        group = process.processIdentifier
        defer { group = 0 }
        for signal in [SIGINT, SIGTERM] {
            Glibc.signal(signal) { _ in
                if Main.group == 0 { _exit(1) }
                kill(-Main.group, SIGKILL)
            }
        }
        let limit = options.size == .quick ? 60 : 1800
        let end = DispatchWorkItem { [group] in kill(-group, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(limit), execute: end)
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        end.cancel()
        guard process.terminationReason == .exit else {
            throw OptionError(message: "'\(name)' was interrupted, or took longer than \(limit) s")
        }
        guard process.terminationStatus == 0 else {
            throw OptionError(message: "'\(name)' ended with status \(process.terminationStatus)")
        }
        return try JSONDecoder().decode([Sample].self, from: bytes)
    }

    private static func note(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
