/// Rows under headings, in columns as wide as they need.
struct Table {
    var headings: [String]
    var rows: [[String]] = []

    init(_ headings: String...) {
        self.headings = headings
    }

    var text: String {
        let all = [headings] + rows
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell.padded(to: widths[column])
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
