import Stepwell

/// Sales as a CSV file has them: with a header, without quotes, without commas inside values.
struct SalesExport {
    private static let columns = ["date", "product", "category", "region", "quantity", "price", "total"]

    let text: String

    /// The sales of the days, both included, in the file's order.
    func sales(from first: String, to last: String) throws -> [Sale] {
        var sales: [Sale] = []
        var places: [Int?]?
        for (number, line) in text.split(whereSeparator: \.isNewline).enumerated() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard let places else {
                places = Self.columns.map(fields.firstIndex(of:))
                continue
            }
            let values = places.map { place in place.flatMap { fields.indices.contains($0) ? fields[$0] : nil } ?? "" }
            guard first <= values[0], values[0] <= last else { continue }
            sales.append(try sale(values, line: number + 1))
        }
        return sales
    }

    /// A row that contradicts itself fails the step for good.
    private func sale(_ values: [String], line: Int) throws -> Sale {
        guard let quantity = Int(values[4]), let price = Money(written: values[5]),
            let total = Money(written: values[6]), quantity * price.cents == total.cents
        else {
            throw Failure(
                message: "sales.csv, line \(line): \(values[4]) × \(values[5]) is not \(values[6])",
                errorType: "validation_error", retryable: false)
        }
        return Sale(
            date: values[0], product: values[1], category: values[2], region: values[3], quantity: quantity,
            price: price, total: total)
    }
}
