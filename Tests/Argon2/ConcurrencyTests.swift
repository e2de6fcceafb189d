import Reactor
import Synchronization
import TestSupport
import Testing

@testable import Argon2

// One by one: two that each took a part of the permits would wait for each other.
@Suite("Hashing beside other work", .serialized, .timeLimit(.minutes(2)))
struct ConcurrencyTests {
    /// What the tasks of a test have done, in their order.
    private final class Record: Sendable {
        private let numbers = Mutex<[Int]>([])

        var all: [Int] { numbers.withLock { $0 } }

        func add(_ number: Int) {
            numbers.withLock { $0.append(number) }
        }
    }

    @Test("leaves the loop free, also for a task that prefers to run there")
    @Loop func loopStaysFree() async throws {
        // Each of these keeps its thread busy for far longer than a turn of the loop.
        let cost = Argon2Cost(memory: 19456, passes: 6, lanes: 1)
        let ticks = await loopTicks {
            await withTaskExecutorPreference(Loop.executor) {
                await withTaskGroup(of: String?.self) { group in
                    for _ in 0..<10 {
                        group.addTask { try? await PasswordHash.hash("secret", cost: cost) }
                    }
                    for await encoded in group { #expect(encoded != nil) }
                }
            }
        }
        #expect(ticks > 50)
    }

    @Test("computes no more than its number at a time; the rest wait and are all served")
    func bounded() async throws {
        let count = PasswordHash.concurrentComputations
        for _ in 0..<count { #expect(await PasswordHash.permits.acquire()) }
        let finished = Record()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask {
                    _ = try await PasswordHash.hash("secret", cost: cheap)
                    finished.add(number)
                }
            }
            #expect(try await eventually { PasswordHash.permits.waitingCount >= 10 })
            #expect(finished.all.isEmpty)
            for _ in 0..<count { PasswordHash.permits.release() }
            try await group.waitForAll()
        }
        #expect(finished.all.count == 10)
    }

    @Test("that waits its turn ends as soon as its task is cancelled")
    func cancelled() async throws {
        let count = PasswordHash.concurrentComputations
        for _ in 0..<count { #expect(await PasswordHash.permits.acquire()) }
        let task = Task { () throws(Argon2Error) in try await PasswordHash.hash("secret", cost: cheap) }
        #expect(try await eventually { PasswordHash.permits.waitingCount >= 1 })
        task.cancel()
        await #expect {
            try await task.value
        } throws: {
            ($0 as? Argon2Error)?.code == .cancelled
        }
        for _ in 0..<count { PasswordHash.permits.release() }
        #expect(try await PasswordHash.verify("x", against: PasswordHash.hash("x", cost: cheap)))
    }

    @Test("serves those who wait in the order in which they came, save those who gave up")
    func order() async throws {
        let permits = Permits(1)
        #expect(await permits.acquire())
        let served = Record()
        var tasks: [Task<Bool, Never>] = []
        for number in 0..<5 {
            tasks.append(
                Task {
                    guard await permits.acquire() else { return false }
                    served.add(number)
                    permits.release()
                    return true
                })
            #expect(try await eventually { permits.waitingCount == number + 1 })
        }
        tasks[2].cancel()
        #expect(await tasks[2].value == false)
        permits.release()
        for (number, task) in tasks.enumerated() where number != 2 { #expect(await task.value) }
        #expect(served.all == [0, 1, 3, 4])
        #expect(permits.waitingCount == 0)
        #expect(await permits.acquire())
    }
}
