package import Contracts

extension BenchResult {
    /// The document that `--json` writes. `result.schema.json` describes it.
    package var json: JSON {
        JSON.object { object in
            object.add("format", 1)
            object.add("startedAt", .string(startedAt.text))
            object.add("seconds", .double(seconds))
            object.add("machine", machine.json)
            object.add("settings", plan.json)
            object.add("limits", .array(raw.map { Self.json($0.key, $0.rounds) }))
            object.add("dataSets", .array(fills.map(\.json)))
            object.add("results", .array(points.map { json($0.key, $0.rounds) }))
            object.add(
                "memory", .array(memory.map { ["requests": .integer(Int64($0.requests)), "bytes": .counts($0.bytes)] }))
            object.add(
                "workers",
                .array(
                    workers.map { count, perSecond in
                        JSON.object { object in
                            object.add("count", .integer(Int64(count)))
                            object.add("perSecond", Spread(perSecond)?.json)
                        }
                    }))
        }
    }

    private static func json(_ point: RawPoint, _ rounds: [RawResult]) -> JSON {
        JSON.object { object in
            object.add("kind", .string(point.kind.rawValue))
            object.add("inFlight", .integer(Int64(point.inFlight)))
            object.add("perSecond", Spread(rounds.map(\.perSecond))?.json)
            object.add("milliseconds", .latencies(rounds.map(\.latency)))
        }
    }

    private func json(_ point: Point, _ rounds: [CaseMeasurement]) -> JSON {
        JSON.object { object in
            object.add("dataSet", .string(point.dataSet))
            object.add("case", .string(point.work.rawValue))
            object.add("connections", .integer(Int64(point.connections)))
            object.add("perSecond", Spread(rounds.map(\.load.perSecond))?.json)
            object.add("milliseconds", .latencies(rounds.map(\.load.latency)))
            object.add("requests", .sum(rounds.map(\.load.sent)))
            object.add("responses", .sum(rounds.map(\.load.requests)))
            object.add("failedResponses", .sum(rounds.map(\.load.failedResponses)))
            object.add("failedConnections", .sum(rounds.map(\.load.failedConnections)))
            object.add("repeatedRequests", .sum(rounds.map(\.load.repeats)))
            object.add("limit", .string(point.work.limit.rawValue))
            object.add("shareOfLimit", shareOfLimit(point).map { .double($0) } ?? .null)
            object.add("cpuMicroseconds", .spreads(rounds.map(\.microseconds)))
            object.add("memoryBytes", .spreads(rounds.map { $0.memory.mapValues(Double.init) }))
        }
    }
}

extension JSON {
    fileprivate static func sum(_ counts: [Int]) -> JSON { .integer(Int64(counts.reduce(0, +))) }

    fileprivate static func counts(_ counts: [String: Int]) -> JSON {
        .object(
            JSONObject(counts.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .integer(Int64($0.value))) }))
    }

    fileprivate static func latencies(_ latencies: [Latency]) -> JSON {
        JSON.object { object in
            object.add("p50", Spread(latencies.map(\.p50))?.json)
            object.add("p99", Spread(latencies.map(\.p99))?.json)
            object.add("p999", Spread(latencies.map(\.p999))?.json)
        }
    }

    /// Returns the spread of each process's figure. A process that did not run in every round is left out.
    fileprivate static func spreads(_ rounds: [[String: Double]]) -> JSON {
        JSON.object { object in
            for name in Set(rounds.flatMap(\.keys)).sorted() {
                let values = rounds.compactMap { $0[name] }
                if values.count == rounds.count { object.add(name, Spread(values)?.json) }
            }
        }
    }
}

extension Machine {
    fileprivate var json: JSON {
        [
            "cores": .integer(Int64(cores)), "processor": .string(processor), "memoryBytes": .integer(Int64(memory)),
            "kernel": .string(kernel), "commit": commit.map { .string($0) } ?? .null,
        ]
    }
}

extension BenchPlan {
    fileprivate var json: JSON {
        [
            "cases": JSON.strings(cases.map(\.rawValue)),
            "connections": .array(connections.map { .integer(Int64($0)) }), "rounds": .integer(Int64(rounds)),
            "secondsPerMeasurement": .integer(Int64(seconds)), "accounts": .integer(Int64(accounts)),
        ]
    }
}

extension BenchResult.Fill {
    fileprivate var json: JSON {
        [
            "name": .string(dataSet.name), "posts": .integer(Int64(dataSet.posts)),
            "copySeconds": .double(copySeconds), "indexSeconds": .double(indexSeconds),
        ]
    }
}
