import Glibc
import Reactor
import Testing

@Suite("Descriptors watched by the loop")
struct DescriptorTests {
    private struct Pipe {
        let reading: Int32
        let writing: Int32

        init() throws {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            (reading, writing) = (ends[0], ends[1])
        }
    }

    @Test("are reported when readable, until the watch ends")
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
        close(pipe.reading)
        close(pipe.writing)
    }

    @Test("tell of a peer that has gone")
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

    @Test("a closed descriptor is an error, not a trap")
    @Loop func closedDescriptor() {
        #expect(throws: SystemError.self) { try Loop.watch(9999, for: .readable) { _ in } }
    }

    @Test("an end-of-turn hook runs after the jobs of the turn, until it is taken back")
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
