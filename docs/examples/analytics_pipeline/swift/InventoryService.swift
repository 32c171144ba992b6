import Foundation
import FoundationNetworking
import Stepwell

/// The inventory over HTTP.
struct InventoryService {
    let url: String
    private let timeout: Double

    /// - Parameter url: instead of the environment's INVENTORY_URL.
    init(url: String?, timeout: Double) {
        let base = url.flatMap { $0.isEmpty ? nil : $0 } ?? environment("INVENTORY_URL") ?? "http://127.0.0.1:8642"
        self.url = String(base.reversed().drop { $0 == "/" }.reversed()) + "/inventory"
        self.timeout = timeout
    }

    private struct Answer: Decodable {
        var rows: [Stock]
    }

    /// All stocks of a data set.
    func stocks(_ data: String) async throws -> [Stock] {
        guard let address = URL(string: "\(url)?data=\(data)") else {
            throw Failure(message: "'\(url)' is no URL", errorType: "validation_error", retryable: false)
        }
        let (body, response) = try await get(address)
        guard response.statusCode == 200 else { throw failure(response) }
        return try JSONDecoder().decode(Answer.self, from: body).rows
    }

    private func get(_ address: URL) async throws -> (Data, HTTPURLResponse) {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = timeout
        let session = URLSession(configuration: configuration)
        defer { session.finishTasksAndInvalidate() }
        do {
            let (body, response) = try await session.data(for: URLRequest(url: address))
            guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
            return (body, response)
        } catch let error as URLError {
            throw Failure(
                message: "cannot read \(address): \(error.localizedDescription)", errorType: "retryable_error")
        }
    }

    /// What may pass is retryable, with the wait that the service asks for.
    private func failure(_ response: HTTPURLResponse) -> Failure {
        let status = response.statusCode
        let mayPass = status >= 500 || status == 408 || status == 429
        return Failure(
            message: "\(url) answers \(status)", errorType: mayPass ? "retryable_error" : "permanent_error",
            errorCode: mayPass ? "HTTP_\(status)" : nil, retryable: mayPass,
            retryAfter: mayPass ? retryAfter(response.value(forHTTPHeaderField: "Retry-After")) : nil)
    }

    /// The wait that a Retry-After header asks for: a number of seconds or a date.
    private func retryAfter(_ header: String?) -> Milliseconds? {
        guard let header else { return nil }
        if let seconds = Int64(header) { return .seconds(max(0, seconds)) }
        let dates = DateFormatter()
        dates.locale = Locale(identifier: "en_US_POSIX")
        dates.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        guard let date = dates.date(from: header) else { return nil }
        return Milliseconds(Int64(max(0, date.timeIntervalSinceNow) * 1000))
    }
}
