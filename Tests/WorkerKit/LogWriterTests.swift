import Glibc
import TestSupport
import Testing

@testable import JSONLogging

@Suite("Writing log lines", .timeLimit(.minutes(1)))
struct LogWriterTests {
    /// Calls a closure with a writer to a pipe and the reading end of the pipe.
    private func withPipe(_ body: (LogWriter, Int32) async throws -> Void) async throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let writer = LogWriter(ends[1]) { Array("dropped \($0)\n".utf8) }
        // The writing end stays open, because the writer's thread may still use it.
        defer { close(ends[0]) }
        try await body(writer, ends[0])
    }

    /// Reads from a pipe until a text has been read.
    private func read(_ descriptor: Int32, until end: String) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while !String(decoding: bytes.suffix(200), as: UTF8.self).contains(end) {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("lines of several threads are written whole and in the order of each thread")
    func order() async throws {
        try await withPipe { writer, descriptor in
            let threads = 4
            let count = 500
            await withTaskGroup(of: Void.self) { group in
                for thread in 0..<threads {
                    group.addTask { for number in 0..<count { writer.append(Array("\(thread) \(number)\n".utf8)) } }
                }
            }
            writer.append(Array("end\n".utf8))
            let lines = read(descriptor, until: "end\n").split(separator: "\n")
            #expect(lines.count == threads * count + 1)
            for thread in 0..<threads {
                let own = lines.filter { $0.hasPrefix("\(thread) ") }
                #expect(own == (0..<count).map { Substring("\(thread) \($0)") })
            }
        }
    }

    @Test("if nobody reads, callers are not blocked, lines are dropped, and their number is written later")
    func stalled() async throws {
        try await withPipe { writer, descriptor in
            let line = Array((String(repeating: "x", count: 999) + "\n").utf8)
            let count = 5000
            for _ in 0..<count { writer.append(line) }
            // The thread is blocked, so the lines cannot be written within the time limit.
            writer.flush(within: .milliseconds(50))
            var text = ""
            func dropped() -> Int {
                text.split(separator: "\n").filter { $0.hasPrefix("dropped ") }.compactMap { Int($0.dropFirst(8)) }
                    .reduce(0, +)
            }
            func written() -> Int { text.split(separator: "\n").count { $0.utf8.count == 999 } }
            while written() + dropped() < count { text += read(descriptor, until: "dropped") }
            #expect(written() + dropped() == count)
            #expect((1000...2200).contains(written()), "at most twice 1 MiB waits, and the pipe holds 64 KiB")
            writer.append(Array("again\n".utf8))
            #expect(read(descriptor, until: "again\n").contains("again"))
        }
    }

    @Test("flush waits until all lines are written")
    func flush() async throws {
        try await withPipe { writer, descriptor in
            for _ in 0..<10 {
                writer.append(Array("line\n".utf8))
                writer.flush(within: .seconds(20))
                var waiting: Int32 = 0
                #expect(ioctl(descriptor, UInt(FIONREAD), &waiting) == 0 && waiting == 5)
                #expect(read(descriptor, until: "line\n") == "line\n")
            }
        }
    }
}
