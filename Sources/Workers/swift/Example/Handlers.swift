import StepwellWorker

struct FetchPrices: StepHandler {
    static let name = "shop.fetch_prices"

    func call(_ context: StepContext) async throws -> StepResult {
        let currency = try await context.input("currency", as: String.self) ?? "USD"
        print("fetching prices in", currency)  // goes to the step's log
        return .success(["prices": [3, 4], "currency": .string(currency)])
    }
}

struct AddUp: StepHandler {
    static let name = "shop.add_up"

    struct Fetched: Decodable { var prices: [Int] }

    func call(_ context: StepContext) async throws -> StepResult {
        let fetched = try await context.dependencyResult("fetch", as: Fetched.self)
        return try .success(encoding: ["sum": fetched.prices.reduce(0, +)])
    }
}
