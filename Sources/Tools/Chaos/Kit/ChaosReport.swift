internal import Contracts

/// The results of a run as a table, with a row for each combination of faults.
package struct ChaosReport: Sendable {
    /// The number of findings that are listed below the table.
    private static let maximumFindings = 40

    package let seed: UInt64
    package private(set) var episodes: [EpisodeResult] = []
    /// The faults of the schedule.
    private let faults: [String]
    private let isMixing: Bool

    /// - Parameter isMixing: whether faults should run together.
    package init(seed: UInt64, faults: [String], isMixing: Bool = true) {
        self.seed = seed
        self.faults = faults
        self.isMixing = isMixing
    }

    package mutating func add(_ episode: EpisodeResult) {
        episodes.append(episode)
    }

    /// The promises that were found broken after the last episode.
    package var finalFindings: [String] = []

    /// The number of broken promises.
    package var findingCount: Int { episodes.reduce(finalFindings.count) { $0 + $1.findings.count } }

    /// The exit status of the run: 1 if a promise was broken; 2 if none was, but an episode has ended early; otherwise
    /// 0.
    package var exitStatus: Int32 {
        if findingCount > 0 { return 1 }
        return episodes.contains { $0.failure != nil } ? 2 : 0
    }

    /// The number of commands that got a 2xx.
    package var commandCount: Int { episodes.reduce(0) { $0 + $1.commands } }

    /// The table, a line for each of the first findings, and a line with the sums.
    package var text: String {
        let header = [
            "faults", "runs", "commands", "2xx", "4xx", "5xx", "lost", "longest interruption", "settled", "found",
        ]
        var order: [String] = []
        var groups: [String: [EpisodeResult]] = [:]
        for episode in episodes {
            let name = episode.faults.joined(separator: " + ")
            if groups[name] == nil { order.append(name) }
            groups[name, default: []].append(episode)
        }
        let rows = order.map { row($0, groups[$0] ?? []) }
        let missing = Set(faults).subtracting(episodes.flatMap(\.faults)).sorted()
        let hasMixed = !isMixing || faults.count < 2 || episodes.contains { $0.faults.count > 1 }
        return TextTable(header: header, rows: rows).text
            + (missing.isEmpty ? "" : "\nnot caused in this time: \(missing.joined(separator: ", "))")
            + (hasMixed ? "" : "\nno faults ran together")
            + episodes.compactMap(\.failure).map { "\nan episode ended early: \($0)" }.joined()
            + findingLines
            + "\nseed \(seed): \(episodes.count) episodes, \(commandCount) commands, \(findingCount) broken promises"
    }

    /// The findings once more, because those that were printed after each episode are far above.
    private var findingLines: String {
        let lines =
            episodes.enumerated().flatMap { index, episode in
                episode.findings.map { "\nepisode \(index + 1): \($0)" }
            } + finalFindings.map { "\nafter the last episode: \($0)" }
        let rest = lines.count - Self.maximumFindings
        return lines.prefix(Self.maximumFindings).joined() + (rest > 0 ? "\nand \(rest) more" : "")
    }

    private func row(_ name: String, _ episodes: [EpisodeResult]) -> [String] {
        func calls(_ range: ClosedRange<Int>) -> String {
            "\(episodes.flatMap(\.statuses).filter { range.contains($0.key) }.map(\.value).reduce(0, +))"
        }
        let longest = episodes.flatMap(\.interruptions).max { $0.value < $1.value }
        return [
            name, "\(episodes.count)", "\(episodes.map(\.commands).reduce(0, +))", calls(200...299), calls(400...499),
            calls(500...599), calls(0...0),
            longest.map { "\($0.value.secondsText) (\($0.key.rawValue))" } ?? "",
            episodes.map(\.settled).max()?.secondsText ?? "", "\(episodes.map(\.findings.count).reduce(0, +))",
        ]
    }
}

extension Duration {
    /// The duration in seconds with one decimal, such as `1.5 s`.
    package var secondsText: String {
        let (seconds, attoseconds) = components
        let tenths = seconds * 10 + (attoseconds + 50_000_000_000_000_000) / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
