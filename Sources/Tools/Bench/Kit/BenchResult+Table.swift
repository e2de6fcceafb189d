extension BenchResult {
    /// The results as tables for a terminal.
    package var table: String {
        var lines = ["Raw request-reply through the broker, the limit:", Self.heading("kind", "in flight", share: "")]
        for (point, rounds) in raw {
            lines.append(
                Self.line(
                    point.kind.rawValue, point.inFlight, rounds.map(\.perSecond), rounds.map(\.latency), errors: nil,
                    share: nil))
        }
        for fill in fills {
            let posts = NumberText.grouped(Double(fill.dataSet.posts))
            lines += ["", "Data set \(fill.dataSet.name), \(posts) posts at the start:"]
            lines.append(Self.heading("case", "conns", share: "of limit") + "  CPU µs per request")
            for (point, rounds) in points where point.dataSet == fill.dataSet.name {
                let line = Self.line(
                    point.work.rawValue, point.connections, rounds.map(\.load.perSecond), rounds.map(\.load.latency),
                    errors: rounds.map { $0.load.failedResponses + $0.load.failedConnections }.reduce(0, +),
                    share: shareOfLimit(point))
                let repeats = point.work.mustNotRepeat ? rounds.map(\.load.repeats).reduce(0, +) : 0
                lines.append(
                    line + "  " + Self.processes(rounds)
                        + (repeats > 0 ? " (\(NumberText.grouped(Double(repeats))) repeated requests)" : ""))
            }
        }
        if !memory.isEmpty { lines += [""] + memoryLines }
        if !workers.isEmpty { lines += [""] + workerLines }
        return lines.map { $0.withoutTrailingSpaces + "\n" }.joined()
    }

    private static func heading(_ name: String, _ number: String, share: String) -> String {
        name.left(16) + number.right(9) + "per s".right(9) + "±".right(6) + "p50 ms".right(9) + "p99".right(8)
            + "p99.9".right(8) + "errors".right(8) + share.right(10)
    }

    private static func line(
        _ name: String, _ number: Int, _ perSecond: [Double], _ latencies: [Latency], errors: Int?, share: Double?
    ) -> String {
        guard let throughput = Spread(perSecond), let p50 = Spread(latencies.map(\.p50)),
            let p99 = Spread(latencies.map(\.p99)), let p999 = Spread(latencies.map(\.p999))
        else { return name }
        return name.left(16) + "\(number)".right(9) + NumberText.grouped(throughput.median).right(9)
            + "\(NumberText.fixed(throughput.relativeDeviation * 100, 0)) %".right(6)
            + NumberText.milliseconds(p50.median).right(9) + NumberText.milliseconds(p99.median).right(8)
            + NumberText.milliseconds(p999.median).right(8) + (errors.map(String.init) ?? "").right(8)
            + (share.map { NumberText.fixed($0, 2) } ?? "").right(10)
    }

    /// Returns the median CPU time of the processes that used at least 1 µs per request, in descending order.
    private static func processes(_ rounds: [CaseMeasurement]) -> String {
        let medians = Set(rounds.flatMap(\.microseconds.keys)).compactMap { name in
            Spread(rounds.compactMap { $0.microseconds[name] }).map { (name: name, median: $0.median) }
        }
        return medians.filter { $0.median >= 1 }.sorted { ($1.median, $0.name) < ($0.median, $1.name) }
            .map { "\($0.name) \(NumberText.grouped($0.median))" }.joined(separator: ", ")
    }

    /// Returns the throughput of each number of workers, and its ratio to that of the first number.
    private var workerLines: [String] {
        let medians = workers.compactMap { worker in Spread(worker.perSecond).map { (worker.count, $0.median) } }
        return ["Posts per second while each post takes 5 ms:"]
            + medians.map { count, median in
                "\(count) post worker\(count == 1 ? "" : "s")".left(18) + NumberText.grouped(median).right(12)
                    + "× \(NumberText.fixed(median / (medians.first?.1 ?? median), 2))".right(9)
            }
    }

    /// Returns the memory of each process after each number of requests, and its growth from the first to the last.
    private var memoryLines: [String] {
        let names = Set(memory.flatMap(\.bytes.keys)).sorted()
        let heading = memory.map { NumberText.grouped(Double($0.requests)).right(12) }.joined()
        return [
            "Memory in MiB after a number of requests of the mix:", "process".left(18) + heading + "growth".right(9),
        ]
            + names.map { name in
                let values = memory.map { Double($0.bytes[name] ?? 0) / 1_048_576 }
                let growth = (values.last ?? 0) / (values.first ?? 0) - 1
                return name.left(18) + values.map { NumberText.fixed($0, 1).right(12) }.joined()
                    + (growth.isFinite ? "\(NumberText.fixed(growth * 100, 0)) %" : "").right(9)
            }
    }
}
