import StepwellWorker

@main
struct Prices {
    static func main() async throws {
        if CommandLine.arguments.dropFirst().first == "submit" { return try await submit() }
        let worker = Worker()
        worker.register(FetchPrices(), AddUp())
        await worker.main()
    }

    static func submit() async throws {
        let client = try Client()  // STEPWELL_URL, else http://127.0.0.1:7420
        let task = try await client.createTask(name: "prices", namespace: "shop", context: ["currency": "EUR"])
        let done = try await client.wait(task.id, timeout: .seconds(60))
        print(done.state, JSONText(done.result("add") ?? .null))
    }
}
