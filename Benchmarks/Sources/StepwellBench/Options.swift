import Foundation

/// The command line.
struct Options {
    var runs = 5
    var size = Size.full
    /// Parts of names; none: all.
    var filters: [String] = []
    var directory = FileManager.default.currentDirectoryPath
    /// Set for a child, which makes one run and prints its samples.
    var only: String?
    var wantsHelp = false

    init(_ words: [String]) throws {
        var rest = words[...]
        while let word = rest.popFirst() {
            func value() throws -> String {
                guard let value = rest.popFirst() else { throw OptionError(message: "'\(word)' needs a value") }
                return value
            }
            switch word {
            case "--runs":
                guard let runs = Int(try value()), runs > 0 else {
                    throw OptionError(message: "'--runs' takes a number")
                }
                self.runs = runs
            case "--quick":
                size = .quick
                runs = 1
            case "--filter": filters.append(try value())
            case "--directory": directory = try value()
            case "--only": only = try value()
            case "--help", "-h": wantsHelp = true
            default: throw OptionError(message: "unknown option '\(word)'; --help shows them")
            }
        }
    }

    static var help: String {
        let width = allBenchmarks.map(\.name.count).max() ?? 0
        let list = allBenchmarks.map {
            "  " + $0.name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.summary
        }
        return """
            Measures Stepwell. A table goes to standard error, one JSON object to standard output.

            Usage: stepwell-bench [OPTIONS]

              --filter TEXT     only benchmarks whose name contains TEXT; may be given several times
              --runs N          how often each is run (5); each run is a process of its own
              --quick           small sizes, one run: only shows that it works
              --directory DIR   where the stores are made and removed (here): the disk that is measured

            Benchmarks:
            \(list.joined(separator: "\n"))

            Example: swift run -c release stepwell-bench --filter latency > latency.json
            """
    }
}

struct OptionError: Error, CustomStringConvertible {
    var message: String
    var description: String { message }
}
