import ChaosKit
import Contracts
import Curl
import FaultProxy
import Glibc
import LocalStack
import Reactor

/// A command that makes every worker crash that receives it.
enum CrashingHandler {
    static let all = [crash]

    /// A worker is killed as soon as it sends this text to PostgreSQL.
    private static let poison = "a command that crashes its worker"
    /// The time after which the command must be a dead letter. Each of its about 20 deliveries costs a restart, and
    /// after the third the command waits for a second before it is delivered again.
    private static let limit: Duration = .seconds(150)
    /// How long no post worker runs at first. The requests that wait then get a 202, and the clients send posts that
    /// wait behind the command. The first worker gets all of them together, so that its crash counts against them too.
    private static let gathering: Duration = .seconds(7)
    /// The longest time in which no other post may be created, because all workers are starting.
    private static let interruption: Duration = .seconds(10)

    private static let crash = Fault(
        name: "handler-crashes", summary: "a command crashes each post worker that receives it, about 20 times",
        targets: [.workers, .broker], needs: [.postgres], allowance: Allowance(affected: [.post])
    ) { testbed, run in
        run.begin()
        let workers = try (1...Testbed.workers).map { _ in try CrashingWorker(testbed, poison) }
        try await testbed.scale("post", 0)
        let status = try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers {
                group.addTask {
                    try await Loop.sleep(for: gathering)
                    try await worker.run()
                }
            }
            let result: Result<String?, any Error>
            do { result = .success(try await Self.awaitDeadLetter(testbed, run)) } catch { result = .failure(error) }
            for worker in workers { worker.stop() }
            try await group.waitForAll()
            return try result.get()
        }
        try await testbed.scale("post", Testbed.workers)
        run.end()
        run.require(status == "failed", "the status of the command is \(status ?? "unknown")")
        let crashes = workers.map(\.crashes).reduce(0, +)
        run.require((10...25).contains(crashes), "the command crashed \(crashes) workers")
        let longest = testbed.http.log.longestInterruption(
            of: "POST /v1/posts", since: run.began + gathering + .seconds(5))
        run.require(longest < interruption, "no other post was created for \(longest.secondsText)")
    }

    /// Sends the command, and waits until it is a dead letter.
    ///
    /// - Returns: the status of the command: that of its receipt, or `failed` if the response already says so.
    @Loop private static func awaitDeadLetter(_ testbed: Testbed, _ run: FaultRun) async throws -> String? {
        let token = testbed.clients.accounts.first?.token
        let response = await testbed.http.send(
            .init(.post, "POST", "/v1/posts", json: ["content": .string(poison)], token: token), isRecorded: false)
        let problem = response.flatMap { try? JSON.parse($0.body) }
        let hasFailed = problem?["code"]?.string == "command-failed"
        let receipt = response?.header("Location")
        run.require(hasFailed || receipt != nil, "the command got \(response?.status ?? 0)")
        let deadline = ContinuousClock.now + limit
        let dead = "\(Queue.postCommands).dead"
        while try await !testbed.broker.queues().contains(where: { $0.name == dead && ($0.messages ?? 0) > 0 }) {
            guard .now < deadline else {
                run.require(false, "the command is no dead letter after \(limit)")
                return nil
            }
            try await Loop.sleep(for: .seconds(1))
        }
        run.deadLetters[dead] = 1
        guard let receipt else { return hasFailed ? "failed" : nil }
        let body = await testbed.clients.get(.post, receipt, 0)?.body
        return body.flatMap { try? JSON.parse($0) }?["status"]?.string
    }
}
