import Foundation

/// Threads for tests that block their thread or occupy it for a long time.
///
/// The cooperative pool has as many threads as there are cores and serves all tests. A few blocking tests would stop
/// all others and the drivers under test.
// Unchecked: the condition's lock protects the jobs.
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

/// Runs a body that can block or occupy its thread for a long time on a thread outside the cooperative pool.
public func onThreads<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask(executorPreference: BlockingThreads.shared) { try await body() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}
