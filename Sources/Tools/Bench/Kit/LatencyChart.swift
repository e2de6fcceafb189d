import Glibc

/// An SVG of the latency against the throughput: a panel for each case, with a line for each data set and percentile.
/// The points of a line are the numbers of connections.
package struct LatencyChart: Sendable {
    fileprivate struct Series {
        let dataSet: String
        let percentile: String
        /// Responses per second and milliseconds, in the order of the connections.
        let points: [(x: Double, y: Double, connections: Int)]
    }

    private static let panelWidth = 340.0
    private static let panelHeight = 240.0
    private static let columns = 3
    /// The margins of the plot inside its panel: left, top, right and bottom.
    private static let margin = (left: 48.0, top: 34.0, right: 28.0, bottom: 40.0)
    private static let headerHeight = 64.0

    private let panels: [(title: String, series: [Series])]
    private let dataSets: [String]

    package init(_ result: BenchResult) {
        let dataSets = result.fills.map(\.dataSet.name)
        self.dataSets = dataSets
        panels = BenchCase.allCases.compactMap { work in
            let series = dataSets.flatMap { dataSet in
                let points = result.points.filter { $0.key.work == work && $0.key.dataSet == dataSet }
                return [
                    Series(dataSet, "p50", points) { $0.p50 }, Series(dataSet, "p99", points) { $0.p99 },
                ]
            }.filter { !$0.points.isEmpty }
            return series.isEmpty ? nil : (work.rawValue, series)
        }
    }

    /// The SVG document. Its colours follow the reader's preference for a light or a dark page.
    package var svg: String {
        let rows = (panels.count + Self.columns - 1) / Self.columns
        let width = Self.panelWidth * Double(min(Self.columns, max(2, panels.count)))
        let height = Self.headerHeight + Self.panelHeight * Double(max(1, rows))
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.text(width)) \(Self.text(height))" \
            width="\(Self.text(width))" height="\(Self.text(height))" role="img" \
            aria-label="Latency against throughput of each case">
            """,
            Self.style,
            #"<rect class="page" width="100%" height="100%"/>"#,
            #"<text class="title" x="16" y="26">Latency against load</text>"#,
        ]
        lines += legend()
        for (index, panel) in panels.enumerated() {
            let (row, column) = index.quotientAndRemainder(dividingBy: Self.columns)
            let x = Self.panelWidth * Double(column)
            let y = Self.headerHeight + Self.panelHeight * Double(row)
            lines.append(#"<g transform="translate(\#(Self.text(x)) \#(Self.text(y)))">"#)
            lines += Self.panel(panel.title, panel.series, dataSets)
            lines.append("</g>")
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    // Not all programs that show SVG know variables of CSS, so the colours for dark pages are rules of their own.
    private static let style = """
        <style>
        text { font: 12px system-ui, sans-serif; fill: #1c1e21; }
        .title { font-size: 16px; font-weight: 600; } .case { font-weight: 600; }
        .page { fill: #ffffff; } .axis { font-size: 11px; fill: #62676d; } .grid { stroke: #dfe2e6; }
        .line { fill: none; stroke-width: 2; } .p99 { stroke-dasharray: 5 3; }
        .a { stroke: #0b63c4; } .b { stroke: #b3470a; } circle { fill: #ffffff; stroke-width: 2; }
        @media (prefers-color-scheme: dark) {
        text { fill: #e8eaed; } .page { fill: #15181c; } .axis { fill: #a2a9b1; } .grid { stroke: #343a41; }
        .a { stroke: #6fb1ff; } .b { stroke: #ffa066; } circle { fill: #15181c; }
        }
        </style>
        """

    private func legend() -> [String] {
        var lines: [String] = []
        var x = 16.0
        for (index, dataSet) in dataSets.enumerated() {
            for percentile in ["p50", "p99"] {
                lines.append(
                    """
                    <path class="line \(Self.colour(index)) \(percentile)" d="M\(Self.text(x)) 46h26"/>\
                    <text x="\(Self.text(x + 32))" y="50">\(dataSet) \(percentile)</text>
                    """)
                x += 110
            }
        }
        let note = "milliseconds; the points are numbers of connections"
        return lines + [#"<text class="axis" x="\#(Self.text(x))" y="50">\#(note)</text>"#]
    }

    /// Draws a panel: a logarithmic axis of milliseconds and a linear axis of responses per second.
    private static func panel(_ title: String, _ series: [Series], _ dataSets: [String]) -> [String] {
        let values = series.flatMap(\.points)
        let low = floorPower(values.map(\.y).min() ?? 1)
        let high = max(low * 10, ceilingPower(values.map(\.y).max() ?? 1))
        let step = niceStep((values.map(\.x).max() ?? 1) / 4)
        let end = step * ((values.map(\.x).max() ?? 1) / step).rounded(.up)
        let plot = (width: panelWidth - margin.left - margin.right, height: panelHeight - margin.top - margin.bottom)
        func x(_ value: Double) -> Double { margin.left + plot.width * value / end }
        func y(_ value: Double) -> Double {
            margin.top + plot.height * (1 - log10(max(value, low) / low) / log10(high / low))
        }
        var lines = [#"<text class="case" x="\#(text(margin.left))" y="20">\#(title)</text>"#]
        for value in sequence(first: low, next: { $0 * 10 <= high * 1.01 ? $0 * 10 : nil }) {
            lines.append(
                """
                <path class="grid" d="M\(text(margin.left)) \(text(y(value)))h\(text(plot.width))"/>\
                <text class="axis" text-anchor="end" x="\(text(margin.left - 6))" y="\(text(y(value) + 4))">\
                \(label(value))</text>
                """)
        }
        for value in stride(from: 0, through: end * 1.001, by: step) {
            lines.append(
                """
                <text class="axis" text-anchor="middle" x="\(text(x(value)))" \
                y="\(text(panelHeight - margin.bottom + 16))">\(NumberText.grouped(value))</text>
                """)
        }
        lines.append(
            """
            <text class="axis" text-anchor="end" x="\(text(panelWidth - margin.right))" \
            y="\(text(panelHeight - margin.bottom + 31))">responses per second</text>
            """)
        for line in series {
            let colour = colour(dataSets.firstIndex(of: line.dataSet) ?? 0)
            let path = line.points.map { "\(text(x($0.x))) \(text(y($0.y)))" }.joined(separator: "L")
            lines.append(#"<path class="line \#(colour) \#(line.percentile)" d="M\#(path)"/>"#)
            for point in line.points {
                let tip =
                    "\(point.connections) connections: \(NumberText.grouped(point.x)) per second, \(line.percentile) "
                    + "\(NumberText.milliseconds(point.y)) ms, \(line.dataSet)"
                lines.append(
                    """
                    <circle class="\(colour)" cx="\(text(x(point.x)))" cy="\(text(y(point.y)))" r="3.5">\
                    <title>\(tip)</title></circle>
                    """)
            }
        }
        return lines
    }

    private static func colour(_ index: Int) -> String { index == 0 ? "a" : "b" }

    private static func text(_ value: Double) -> String { NumberText.fixed(value, 1) }

    /// Returns the text of a power of ten.
    private static func label(_ value: Double) -> String {
        NumberText.fixed(value, value < 0.09 ? 2 : value < 0.9 ? 1 : 0)
    }

    /// Returns the greatest power of ten that is not greater than a value.
    private static func floorPower(_ value: Double) -> Double { pow(10, log10(max(value, 0.01)).rounded(.down)) }

    private static func ceilingPower(_ value: Double) -> Double { pow(10, log10(max(value, 0.01)).rounded(.up)) }

    /// Returns the smallest of 1, 2 and 5 times a power of ten that is not smaller than a value.
    private static func niceStep(_ value: Double) -> Double {
        let power = pow(10, log10(max(value, 1)).rounded(.down))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value } ?? 10 * power
    }
}

extension LatencyChart.Series {
    /// Makes a series of the medians of a latency.
    fileprivate init(
        _ dataSet: String, _ percentile: String, _ points: [(key: BenchResult.Point, rounds: [CaseMeasurement])],
        _ value: (Latency) -> Double
    ) {
        self.dataSet = dataSet
        self.percentile = percentile
        self.points = points.sorted { $0.key.connections < $1.key.connections }.compactMap { point in
            guard let x = Spread(point.rounds.map(\.load.perSecond)),
                let y = Spread(point.rounds.map { value($0.load.latency) })
            else { return nil }
            return (x.median, y.median, point.key.connections)
        }
    }
}
