import Glibc
import Stepwell
import StepwellModel

/// The file in the store's directory that holds the webhooks. Only its owner can read it: an address may hold a token.
struct WebhookFile: Sendable {
    static let name = "webhooks.json"

    let path: String

    init(store: String) {
        path = store + "/" + Self.name
    }

    /// None without a file.
    /// - Throws: ``FileError``; ``WebhookError`` when it is not what was written.
    func read() throws -> [Webhook] {
        guard access(path, F_OK) == 0 else { return [] }
        guard let list = (try? JSONText(try Files.read(path)))?.json.array else { throw WebhookError.unreadable(path) }
        return try list.map { entry in
            guard let webhook = Webhook(stored: entry) else { throw WebhookError.unreadable(path) }
            return webhook
        }
    }

    func write(_ webhooks: [Webhook]) throws {
        try AtomicFile.write(Array((JSON.array(webhooks.map(\.json)).pretty + "\n").utf8), to: path)
    }
}
