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

    @Test("starting and stopping a loop leaks no descriptors or threads")
    func startsAndStops() async throws {
        let descriptors = try openDescriptors()
        try startAndStop(times: 100)
        // Tests that run at the same time open descriptors for a while; a leak of a hundred loops would stay.
        #expect(try await eventually(within: .seconds(60)) { try openDescriptors() < descriptors + 50 })
        let named = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").filter {
            try String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) == "test\n"
        }
        #expect(named.isEmpty)
    }

    @Test("a loop runs the calls that were made before it is stopped")
    func runsBeforeStop() throws {
        let loop = try EventLoop(name: "drain")
        let count = Atomic<Int>(0)
        for _ in 0..<1000 { loop.perform { count.add(1, ordering: .relaxed) } }
        loop.stop()
        #expect(count.load(ordering: .relaxed) == 1000)
    }

    @Test("a loop runs the calls of one thread in their order")
    func keepsOrder() throws {
        let loop = try EventLoop(name: "order")
        let seen = Mutex<[Int]>([])
        for index in 0..<1000 { loop.perform { seen.withLock { $0.append(index) } } }
        loop.stop()
        #expect(seen.withLock { $0 } == Array(0..<1000))
    }

    @Test("the loop is the executor of @Loop code and of tasks that prefer it")
    func isExecutor() async {
        #expect(await Loop.run { Loop.executor.isOnLoop })
        let isOnLoop = await withTaskExecutorPreference(Loop.executor) { await unisolated() }
        #expect(isOnLoop)
        #expect(!Loop.executor.isOnLoop)
    }

    @concurrent private func unisolated() async -> Bool {
        Loop.executor.isOnLoop
    }

    @Test("the loop runs jobs from many threads at once")
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
