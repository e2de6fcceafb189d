import Reactor
import TestSupport
import Testing

@testable import Argon2

// Serialized, because two tests that each hold some of the permits of PasswordHash.semaphore would wait for each other.
@Suite("Concurrent password hashing", .serialized, .timeLimit(.minutes(2)))
struct ConcurrencyTests {
    /// The numbers of the tasks that have finished, in the order of finishing.
    @Loop private final class FinishedTasks {
        private(set) var numbers: [Int] = []

        func add(_ number: Int) {
            numbers.append(number)
        }
    }

    @Test("hashing does not block the event loop, even in a task that prefers the loop as its executor")
    @Loop func loopStaysFree() async throws {
        // The computation of each hash takes far longer than a turn of the loop.
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

    @Test("hashes wait while all permits are taken, and are all computed after the permits are returned")
    @Loop func bounded() async throws {
        let count = PasswordHash.concurrentComputations
        for _ in 0..<count { #expect(await PasswordHash.semaphore.acquire()) }
        let finished = FinishedTasks()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask {
                    _ = try await PasswordHash.hash("secret", cost: cheap)
                    await finished.add(number)
                }
            }
            #expect(try await eventually { PasswordHash.semaphore.waiters.count >= 10 })
            #expect(finished.numbers.isEmpty)
            for _ in 0..<count { PasswordHash.semaphore.release() }
            try await group.waitForAll()
        }
        #expect(finished.numbers.count == 10)
    }

    @Test("hash() throws .cancelled if its task is cancelled while it waits for a permit")
    @Loop func cancelled() async throws {
        let count = PasswordHash.concurrentComputations
        for _ in 0..<count { #expect(await PasswordHash.semaphore.acquire()) }
        let task = Task { try await PasswordHash.hash("secret", cost: cheap) }
        #expect(try await eventually { PasswordHash.semaphore.waiters.count >= 1 })
        task.cancel()
        await #expect {
            try await task.value
        } throws: {
            ($0 as? Argon2Error)?.code == .cancelled
        }
        for _ in 0..<count { PasswordHash.semaphore.release() }
        #expect(try await PasswordHash.verify("x", against: PasswordHash.hash("x", cost: cheap)))
    }

    @Test("a semaphore gives permits to waiting tasks in the order of their calls, and none to cancelled tasks")
    @Loop func order() async throws {
        let semaphore = Semaphore(1)
        #expect(await semaphore.acquire())
        let served = FinishedTasks()
        var tasks: [Task<Bool, Never>] = []
        for number in 0..<5 {
            tasks.append(
                Task { @Loop in
                    guard await semaphore.acquire() else { return false }
                    served.add(number)
                    semaphore.release()
                    return true
                })
            #expect(try await eventually { semaphore.waiters.count == number + 1 })
        }
        tasks[2].cancel()
        #expect(await tasks[2].value == false)
        semaphore.release()
        for (number, task) in tasks.enumerated() where number != 2 { #expect(await task.value) }
        #expect(served.numbers == [0, 1, 3, 4])
        #expect(semaphore.waiters.isEmpty)
        #expect(await semaphore.acquire())
    }

    @Test("a permit that is returned before a cancelled task has stopped waiting goes to the next task")
    @Loop func permitSurvivesCancellation() async throws {
        let semaphore = Semaphore(1)
        #expect(await semaphore.acquire())
        let cancelled = Task { @Loop in await semaphore.acquire() }
        #expect(try await eventually { semaphore.waiters.count == 1 })
        let next = Task { @Loop in await semaphore.acquire() }
        #expect(try await eventually { semaphore.waiters.count == 2 })
        cancelled.cancel()
        // This call runs after the cancellation has ended the wait, and before the cancelled task continues.
        Loop.perform { semaphore.release() }
        #expect(await next.value)
        #expect(await cancelled.value == false)
    }
}
