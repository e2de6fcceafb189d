import Glibc
import Reactor
import Testing

@Suite("Descriptor watches and hooks")
struct DescriptorTests {
    private struct Pipe {
        let reading: Int32
        let writing: Int32

        init() throws {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            (reading, writing) = (ends[0], ends[1])
        }

        func close() {
            Glibc.close(reading)
            Glibc.close(writing)
        }
    }

    @Test("a readable descriptor is reported until its watch is cancelled")
    @Loop func readable() async throws {
        let pipe = try Pipe()
        var reports = 0
        let watch = try Loop.watch(pipe.reading, for: .readable) { readiness in
            #expect(readiness.contains(.readable))
            reports += 1
            var byte: UInt8 = 0
            _ = read(pipe.reading, &byte, 1)
        }
        var byte: UInt8 = 1
        _ = write(pipe.writing, &byte, 1)
        try await Loop.sleep(for: .milliseconds(20))
        #expect(reports == 1)
        watch.cancel()
        _ = write(pipe.writing, &byte, 1)
        try await Loop.sleep(for: .milliseconds(20))
        #expect(reports == 1)
        pipe.close()
    }

    @Test("a pipe whose writing end is closed is reported as failed")
    @Loop func hangUp() async throws {
        let pipe = try Pipe()
        var seen: Readiness = []
        let watch = try Loop.watch(pipe.reading, for: .readable) { seen.formUnion($0) }
        close(pipe.writing)
        try await Loop.sleep(for: .milliseconds(20))
        watch.cancel()
        #expect(seen.contains(.failed))
        close(pipe.reading)
    }

    @Test("the watch of a closed descriptor does not change the watch of a new descriptor with the same number")
    @Loop func reusedNumber() async throws {
        let old = try Pipe()
        let oldWatch = try Loop.watch(old.reading, for: .readable) { _ in }
        let new = try Pipe()
        // The number of the old descriptor now belongs to the new pipe.
        try #require(dup2(new.reading, old.reading) == old.reading)
        var reports = 0
        let newWatch = try Loop.watch(old.reading, for: .readable) { _ in
            reports += 1
            var byte: UInt8 = 0
            _ = read(old.reading, &byte, 1)
        }
        #expect(throws: SystemError.self) { try oldWatch.change(to: .writable) }
        oldWatch.cancel()
        var byte: UInt8 = 1
        _ = write(new.writing, &byte, 1)
        try await Loop.sleep(for: .milliseconds(20))
        #expect(reports == 1)
        newWatch.cancel()
        old.close()
        new.close()
    }

    @Test("watching a number that is not an open descriptor throws a SystemError")
    @Loop func noDescriptor() {
        #expect(throws: SystemError.self) { try Loop.watch(9999, for: .readable) { _ in } }
    }

    @Test("waitUntilReady returns the readiness of the descriptor")
    @Loop func waitUntilReady() async throws {
        let pipe = try Pipe()
        Loop.schedule(after: .milliseconds(5)) {
            var byte: UInt8 = 1
            _ = write(pipe.writing, &byte, 1)
        }
        #expect(try await Loop.waitUntilReady(pipe.reading, for: .readable, until: .now + .seconds(30)) == .readable)
        #expect(try await Loop.waitUntilReady(pipe.writing, for: .writable, until: .now + .seconds(30)) == .writable)
        // The first wait has cancelled its watch. Therefore `pipe.reading` can be watched again.
        #expect(try await Loop.waitUntilReady(pipe.reading, for: .readable, until: .now + .seconds(30)) == .readable)
        pipe.close()
    }

    @Test("waitUntilReady returns nil if its deadline passes, its task is cancelled or its waiter is cancelled")
    @Loop func waitUntilReadyEnds() async throws {
        let pipe = try Pipe()
        let deadline = ContinuousClock.now + .milliseconds(20)
        #expect(try await Loop.waitUntilReady(pipe.reading, for: .readable, until: deadline) == nil)
        #expect(ContinuousClock.now >= deadline)
        let task = Task { @Loop in
            try await Loop.waitUntilReady(pipe.reading, for: .readable, until: .now + .seconds(60))
        }
        Loop.schedule(after: .milliseconds(5)) { task.cancel() }
        #expect(try await task.value == nil)
        let waiter = Waiter<Readiness>()
        Loop.schedule(after: .milliseconds(5)) { waiter.cancel() }
        #expect(
            try await Loop.waitUntilReady(pipe.reading, for: .readable, until: .now + .seconds(60), using: waiter)
                == nil)
        pipe.close()
    }

    @Test("waitUntilReady throws a SystemError for a number that is not an open descriptor")
    @Loop func waitForNoDescriptor() async {
        await #expect(throws: SystemError.self) {
            try await Loop.waitUntilReady(9999, for: .readable, until: .now + .seconds(60))
        }
    }

    @Test("an end-of-turn hook runs after the jobs of each turn, until the hook is cancelled")
    @Loop func hooks() async throws {
        var log: [String] = []
        let hook = Loop.atEndOfTurn { if !log.isEmpty { log.append("hook") } }
        log.append("job")
        try await Loop.sleep(for: .milliseconds(5))
        #expect(log.prefix(2) == ["job", "hook"])
        hook.cancel()
        let count = log.count
        try await Loop.sleep(for: .milliseconds(5))
        #expect(log.count == count)
    }
}
