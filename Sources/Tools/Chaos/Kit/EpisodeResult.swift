package import Contracts

/// The result of an episode: the faults that ran together, what the clients got meanwhile, and the broken promises.
package struct EpisodeResult: Sendable {
    /// The names of the faults.
    package let faults: [String]
    /// The commands that got a 2xx.
    package var commands = 0
    /// The calls by status; 0 stands for calls without a response.
    package var statuses: [Int: Int] = [:]
    /// The longest time in which no call to a service succeeded, by service.
    package var interruptions: [ServiceName: Duration] = [:]
    /// The time from the end of the clients' work until all queues and outboxes were empty.
    package var settled: Duration = .zero
    /// A line for each broken promise.
    package var findings: [String] = []
    /// The reason why the episode ended early; `nil` if it ended as planned.
    package var failure: String?

    package init(faults: [String]) {
        self.faults = faults
    }
}
