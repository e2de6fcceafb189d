/// Which measurements a run has.
package struct BenchPlan: Sendable, Hashable {
    package var cases: [BenchCase]
    /// The numbers of connections of `wrk`, and of requests in flight of the raw limit.
    package var connections: [Int]
    package var rounds: Int
    /// The duration of a measurement of `wrk`.
    package var seconds: Int
    /// The duration of a measurement of the raw limit.
    package var rawSeconds: Int
    package var accounts: Int
    /// The posts of the data set `small`.
    package var smallPosts: Int
    /// The posts of the data set `large`, which includes those of `small`. There is no such data set if this is not
    /// more than `smallPosts`.
    package var largePosts: Int
    /// The numbers of requests after which the memory is measured; empty if it is not.
    package var memorySteps: [Int]
    /// The numbers of post workers whose throughput is compared; empty if it is not.
    package var workerCounts: [Int]

    /// The whole run.
    package static let full = BenchPlan(
        cases: BenchCase.allCases, connections: [1, 64, 256], rounds: 3, seconds: 5, rawSeconds: 3, accounts: 200,
        smallPosts: 60_000, largePosts: 1_000_000, memorySteps: [100_000, 1_000_000], workerCounts: [1, 2])

    /// The run of about a minute.
    package static let quick = BenchPlan(
        cases: [.getPost, .createPost, .search], connections: [1, 64], rounds: 2, seconds: 2, rawSeconds: 1,
        accounts: 50, smallPosts: 20_000, largePosts: 0, memorySteps: [], workerCounts: [])

    /// The data sets in the order in which they are measured.
    package var dataSets: [DataSet] {
        let small = DataSet(name: "small", posts: smallPosts)
        return largePosts > smallPosts ? [small, DataSet(name: "large", posts: largePosts)] : [small]
    }

    /// Returns the cases of a data set.
    package func cases(of dataSet: DataSet) -> [BenchCase] {
        dataSet == dataSets.first ? cases : cases.filter(\.dependsOnPosts)
    }

    /// Returns the numbers of connections of a case: those that do not exceed its maximum, or else its maximum.
    package func connections(of work: BenchCase) -> [Int] {
        let allowed = connections.filter { $0 <= work.maximumConnections }
        return allowed.isEmpty ? [work.maximumConnections] : allowed
    }

    /// The number of measurements of `wrk` in all rounds.
    package var measurements: Int {
        dataSets.flatMap(cases).map { connections(of: $0).count }.reduce(0, +) * rounds
    }
}

/// A number of posts with which the cases are measured.
package struct DataSet: Sendable, Hashable {
    package let name: String
    /// The posts that the bench has stored before the first measurement.
    package let posts: Int

    package init(name: String, posts: Int) {
        (self.name, self.posts) = (name, posts)
    }
}
