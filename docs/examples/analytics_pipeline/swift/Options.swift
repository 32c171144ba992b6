/// What stands on the command line.
struct Options {
    static let help = """
        usage: AnalyticsPipeline [--data real|fixed] [--environment fast] [--store DIR] [--key KEY]
               AnalyticsPipeline --server URL

        Runs the analytics pipeline and prints what came of it as JSON. The same command again, with the same --key, goes on
        with the task of that key, also after kill -9.

          --data NAME         the data set: real (the default) or fixed
          --environment NAME  the template's overrides of that name; fast shortens the waits between attempts
          --store DIR         where the log is (default .stepwell)
          --key KEY           the task's identity, such as the date

        With --server it runs no pipeline of its own: it is a worker of the server, until SIGTERM.

          --server URL        such as http://127.0.0.1:7420
          --concurrency N     how many attempts at the same time (4)

        INVENTORY_URL says where the inventory service is (default http://127.0.0.1:8642).
        """

    var data = "real"
    var environment: String?
    var store = ".stepwell"
    var key: String?
    var server: String?
    var concurrency = 4
    var wantsHelp = false

    init(_ arguments: some Sequence<String>) throws(UsageError) {
        var words = arguments.makeIterator()
        while let word = words.next() {
            if word == "--help" {
                wantsHelp = true
                continue
            }
            guard ["--data", "--environment", "--store", "--key", "--server", "--concurrency"].contains(word) else {
                throw UsageError(description: "'\(word)' is no option; --help shows them all")
            }
            guard let value = words.next(), !value.isEmpty else {
                throw UsageError(description: "'\(word)' wants a value")
            }
            switch word {
            case "--data": data = value
            case "--environment": environment = value
            case "--store": store = value
            case "--server": server = value
            case "--concurrency":
                guard let number = Int(value), 1...1000 ~= number else {
                    throw UsageError(description: "'--concurrency' wants a number from 1 to 1000")
                }
                concurrency = number
            default: key = value
            }
        }
    }
}

/// A command line that makes no sense.
struct UsageError: Error, CustomStringConvertible {
    let description: String
}
