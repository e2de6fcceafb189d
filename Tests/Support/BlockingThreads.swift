import Foundation

/// Threads for tests that block the one that they run on, or keep it busy for long.
///
/// The threads of the cooperative pool, as many as there are cores, serve all tests: two of these there, and
/// nothing else goes on, the drivers under test included.
// Unchecked: the jobs are behind the condition's lock.
final class BlockingThreads: TaskExecutor, @unchecked Sendable {
    static let shared = BlockingThreads(32)

    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []

    private init(_ count: Int) {
        for _ in 0..<count { Thread { [self] in work() }.start() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.lock()
        jobs.append(job)
        condition.signal()
        condition.unlock()
    }

    private func work() {
        while true {
            condition.lock()
            while jobs.isEmpty { condition.wait() }
            let job = jobs.removeFirst()
            condition.unlock()
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}

/// Runs what may block, or keep its thread busy for long, away from all other tests.
public func onThreads<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask(executorPreference: BlockingThreads.shared) { try await body() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}
