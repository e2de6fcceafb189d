import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Reactor

@Suite("Event loop")
struct EventLoopTests {
    private func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }

    private func startAndStop(times: Int) throws {
        for _ in 0..<times {
            let loop = try EventLoop(name: "test")
            let ran = DispatchSemaphore(value: 0)
            loop.perform { ran.signal() }
            ran.wait()
            loop.stop()
            loop.stop()
        }
    }

    @Test("starting and stopping event loops leaks no descriptors and no threads")
    func startsAndStops() async throws {
        let descriptors = try openDescriptors()
        try startAndStop(times: 100)
        // Other tests open descriptors at the same time but close them again; leaked descriptors of a hundred loops
        // would stay open.
        #expect(try await eventually(within: .seconds(60)) { try openDescriptors() < descriptors + 50 })
        let loopThreads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").filter {
            // A thread of another test may have ended since its name was listed.
            (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == "test\n"
        }
        #expect(loopThreads.isEmpty)
    }

    @Test("an event loop runs all calls that were made before it was stopped")
    func runsBeforeStop() throws {
        let loop = try EventLoop(name: "drain")
        let count = Atomic<Int>(0)
        for _ in 0..<1000 { loop.perform { count.add(1, ordering: .relaxed) } }
        loop.stop()
        #expect(count.load(ordering: .relaxed) == 1000)
    }

    @Test("an event loop runs the calls of one thread in the order in which they were made")
    func keepsOrder() throws {
        let loop = try EventLoop(name: "order")
        let seen = Mutex<[Int]>([])
        for index in 0..<1000 { loop.perform { seen.withLock { $0.append(index) } } }
        loop.stop()
        #expect(seen.withLock { $0 } == Array(0..<1000))
    }

    @Test("the event loop executes @Loop code and the tasks that prefer the loop")
    func isExecutor() async {
        #expect(await Loop.run { Loop.executor.isOnLoop })
        let isOnLoop = await withTaskExecutorPreference(Loop.executor) { await unisolated() }
        #expect(isOnLoop)
        #expect(!Loop.executor.isOnLoop)
    }

    @concurrent private func unisolated() async -> Bool {
        Loop.executor.isOnLoop
    }

    @Test("the event loop runs all jobs that many threads send it concurrently")
    @Loop func jobsFromManyThreads() async {
        var total = 0
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var sum = 0
                    for _ in 0..<1000 { sum += await Loop.run { 1 } }
                    return sum
                }
            }
            for await sum in group { total += sum }
        }
        #expect(total == 8000)
    }
}

extension Loop {
    @Loop static func run<Value: Sendable>(_ body: @Loop () -> Value) async -> Value { body() }
}
