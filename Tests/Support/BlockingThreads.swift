import Foundation

/// Threads for tests that block their thread or occupy it for a long time.
///
/// The cooperative pool has one thread per core and runs all tests. If a few tests blocked its threads, all other tests
/// and the drivers under test would stop.
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

/// Runs a body on a thread outside the cooperative pool. The body may block its thread or use it for a long time.
public func onThreads<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask(executorPreference: BlockingThreads.shared) { try await body() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}
