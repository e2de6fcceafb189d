import Glibc
import Reactor
import TestSupport
import Testing

@Suite("Calls on threads of their own", .timeLimit(.minutes(1)))
struct OwnThreadTests {
    @Test("a blocking call on its own thread does not block the loop, even for a task that prefers the loop")
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

    @Test("a task that is cancelled before or during a blocking call does not wait for the end of the call")
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
