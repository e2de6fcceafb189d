import Glibc
import Reactor
import TestSupport
import Testing

@Suite("A call on a thread of its own", .timeLimit(.minutes(1)))
struct OwnThreadTests {
    @Test("leaves the loop free, also for a task that prefers to run there")
    @Loop func loopStaysFree() async {
        var value: Int?
        let ticks = await loopTicks {
            value = await withTaskExecutorPreference(Loop.executor) {
                await onOwnThread {
                    usleep(500_000)
                    return 7
                }
            }
        }
        #expect(value == 7)
        #expect(ticks > 20)
    }

    @Test("is not waited for by a task that is cancelled, before or meanwhile")
    func cancelled() async throws {
        let start = ContinuousClock.now
        let task = Task { await onOwnThread { sleep(20) } }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        #expect(await task.value == nil)
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await onOwnThread { 1 }
        }
        _ = await late.value
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
