import Foundation
import Stepwell

/// The data set that the task's input names.
struct DataSet {
    /// The folder of the example: the one above this file.
    static let home = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    let name: String

    init(_ context: StepContext) async throws {
        name = try await context.input("data") ?? "real"
        guard ["real", "fixed"].contains(name) else {
            throw Failure(
                message: "there is no data set '\(name)'; choose real or fixed", errorType: "validation_error",
                retryable: false)
        }
    }

    func read(_ file: String) throws -> Data {
        try Data(contentsOf: Self.home.appending(path: "data/\(name)/\(file)"))
    }
}
