/// Rows under headings, in columns as wide as they need.
package struct Table {
    private let headings: [String]
    package var rows: [[String]] = []

    package init(_ headings: String...) {
        self.init(headings)
    }

    package init(_ headings: [String]) {
        self.headings = headings
    }

    package var text: String {
        let all = [headings] + rows
        let widths = headings.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell.padded(to: widths[column])
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
