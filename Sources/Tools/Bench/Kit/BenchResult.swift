package import Contracts

/// One measurement of a case.
package struct CaseMeasurement: Sendable, Hashable {
    package let load: WrkResult
    /// The CPU time of each process per request that was sent, in microseconds.
    package let microseconds: [String: Double]
    /// The resident memory of each process after the measurement, in bytes.
    package let memory: [String: Int]

    package init(load: WrkResult, microseconds: [String: Double], memory: [String: Int]) {
        (self.load, self.microseconds, self.memory) = (load, microseconds, memory)
    }
}

/// Computes the CPU time per request from the use before and after a measurement.
///
/// - Parameter requests: the requests that were sent. The stack also works on those whose response came after the end.
/// - Returns: microseconds by the name of the process. Processes that were started or ended meanwhile are left out.
package func microsecondsPerRequest(
    _ before: [String: ProcessUse], _ after: [String: ProcessUse], requests: Int
) -> [String: Double] {
    var result: [String: Double] = [:]
    for (name, use) in after {
        guard let start = before[name]?.microseconds, use.microseconds >= start, requests > 0 else { continue }
        result[name] = Double(use.microseconds - start) / Double(requests)
    }
    return result
}

/// The results of a run.
package struct BenchResult: Sendable {
    /// A case with a number of connections in a data set.
    package struct Point: Sendable, Hashable {
        package let dataSet: String
        package let work: BenchCase
        package let connections: Int

        package init(dataSet: String, work: BenchCase, connections: Int) {
            (self.dataSet, self.work, self.connections) = (dataSet, work, connections)
        }
    }

    /// Raw request-reply of one kind.
    package struct RawPoint: Sendable, Hashable {
        package let kind: RawKind
        package let inFlight: Int

        package init(kind: RawKind, inFlight: Int) {
            (self.kind, self.inFlight) = (kind, inFlight)
        }
    }

    /// How long it took to fill the databases with a data set.
    package struct Fill: Sendable {
        package let dataSet: DataSet
        package let copySeconds: Double
        package let indexSeconds: Double

        package init(dataSet: DataSet, copySeconds: Double, indexSeconds: Double) {
            (self.dataSet, self.copySeconds, self.indexSeconds) = (dataSet, copySeconds, indexSeconds)
        }
    }

    package let plan: BenchPlan
    package let machine: Machine
    package let startedAt: Timestamp
    /// The duration of the run.
    package var seconds = 0.0
    package var fills: [Fill] = []
    /// The measurements of each point, one for each round. The keys are in the order of measurement.
    package private(set) var points: [(key: Point, rounds: [CaseMeasurement])] = []
    package private(set) var raw: [(key: RawPoint, rounds: [RawResult])] = []
    /// The memory of each process, in bytes, after a number of requests.
    package var memory: [(requests: Int, bytes: [String: Int])] = []

    /// The posts per second of each number of workers, in every round, while each post takes 5 ms.
    package private(set) var workers: [(count: Int, perSecond: [Double])] = []

    package init(plan: BenchPlan, machine: Machine, startedAt: Timestamp) {
        (self.plan, self.machine, self.startedAt) = (plan, machine, startedAt)
    }

    package mutating func add(_ measurement: CaseMeasurement, at point: Point) {
        if let index = points.firstIndex(where: { $0.key == point }) {
            points[index].rounds.append(measurement)
        } else {
            points.append((point, [measurement]))
        }
    }

    package mutating func add(_ result: RawResult, at point: RawPoint) {
        if let index = raw.firstIndex(where: { $0.key == point }) {
            raw[index].rounds.append(result)
        } else {
            raw.append((point, [result]))
        }
    }

    package mutating func add(postsPerSecond: Double, workers count: Int) {
        if let index = workers.firstIndex(where: { $0.count == count }) {
            workers[index].perSecond.append(postsPerSecond)
        } else {
            workers.append((count, [postsPerSecond]))
        }
    }

    /// Returns the throughput of a point as a share of the raw limit with as many requests in flight; `nil` if the
    /// limit was not measured.
    package func shareOfLimit(_ point: Point) -> Double? {
        let limit = RawPoint(kind: point.work.limit, inFlight: point.connections)
        guard let rounds = points.first(where: { $0.key == point })?.rounds,
            let ours = Spread(rounds.map(\.load.perSecond)),
            let raw = Spread(raw.first { $0.key == limit }?.rounds.map(\.perSecond) ?? []), raw.median > 0
        else { return nil }
        return ours.median / raw.median
    }
}

/// The machine on which a run was made.
package struct Machine: Sendable, Hashable {
    package let cores: Int
    package let processor: String
    /// In bytes.
    package let memory: Int
    package let kernel: String
    /// The commit of the checkout, with the ending `-dirty` if files had been changed; `nil` if it is not known.
    package let commit: String?

    package init(cores: Int, processor: String, memory: Int, kernel: String, commit: String?) {
        (self.cores, self.processor, self.memory, self.kernel, self.commit) = (cores, processor, memory, kernel, commit)
    }
}
