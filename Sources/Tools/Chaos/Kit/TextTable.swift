/// A table in columns of equal width, for a terminal. The first column is aligned to the left, the others to the right.
package struct TextTable: Sendable {
    private let lines: [[String]]

    package init(header: [String], rows: [[String]]) {
        lines = [header] + rows
    }

    package var text: String {
        let columns = lines.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            lines.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return lines.map { line in
            line.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - line[column].count)
                return column == 0 ? line[column] + padding : padding + line[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
