import TestData
import TestSupport
import Testing

@testable import AMQP

@Suite("Heartbeat monitor, message assembly and output buffer")
struct ConnectionStateTests {
    private struct UnexpectedStep: Error {}

    @Test("a heartbeat is due after half an interval without a send, and a close after two intervals without a receive")
    func heartbeats() {
        let start = ContinuousClock.now
        var monitor = HeartbeatMonitor(interval: .seconds(10), now: start)
        #expect(monitor.action(at: start + .seconds(4)) == .wait)
        #expect(monitor.action(at: start + .seconds(5)) == .sendHeartbeat)
        monitor.sent(at: start + .seconds(5))
        #expect(monitor.action(at: start + .seconds(9)) == .wait)
        #expect(monitor.action(at: start + .seconds(20)) == .close)
        monitor.received(at: start + .seconds(19))
        #expect(monitor.action(at: start + .seconds(20)) == .sendHeartbeat)
    }

    private func body(_ assembly: inout MessageAssembly<Int>, _ bytes: [UInt8]) -> MessageAssembly<Int>.Step {
        bytes.withUnsafeBytes { assembly.body($0) }
    }

    @Test("a message is complete when its body has the size that its content header states")
    func assembles() throws {
        var assembly = MessageAssembly<Int>()
        for size in [0, 1, 3] {
            let (begins, beginsAgain) = (assembly.begin(size), assembly.begin(9))
            #expect(begins && !beginsAgain)
            var step = assembly.header(Properties(type: "t"), bodySize: UInt64(size))
            for index in 0..<size {
                guard case .incomplete = step else { throw UnexpectedStep() }
                step = body(&assembly, [UInt8(index)])
            }
            guard case .complete(let message) = step else { throw UnexpectedStep() }
            #expect(message.envelope == size)
            #expect(message.properties.type == "t")
            #expect(message.body == (0..<size).map { UInt8($0) })
        }
    }

    @Test("frames that are out of order or too large are reported as malformed")
    func refusesDisorder() {
        func isMalformed(_ step: MessageAssembly<Int>.Step) -> Bool {
            if case .malformed = step { true } else { false }
        }
        var assembly = MessageAssembly<Int>()
        var areMalformed = [isMalformed(body(&assembly, [1])), isMalformed(assembly.header(Properties(), bodySize: 1))]
        let begins = assembly.begin(1)
        #expect(begins)
        areMalformed.append(isMalformed(body(&assembly, [1])))
        areMalformed.append(isMalformed(assembly.header(Properties(), bodySize: .max)))
        _ = assembly.header(Properties(), bodySize: 1)
        areMalformed.append(isMalformed(assembly.header(Properties(), bodySize: 1)))
        areMalformed.append(isMalformed(body(&assembly, [1, 2])))
        #expect(areMalformed.allSatisfy { $0 })
    }

    @Test("the output buffer keeps its bytes in order while it is filled and consumed")
    func buffers() {
        var generator = SeededGenerator(seed: 7)
        var output = OutputBuffer()
        var written: UInt8 = 0
        var read: UInt8 = 0
        for _ in 0..<2000 {
            for _ in 0..<Int.random(in: 0..<400, using: &generator) {
                output.append(written)
                written &+= 1
            }
            let count = Int.random(in: 0...max(output.count, 1), using: &generator)
            output.withPending { bytes in
                for byte in bytes.prefix(count) {
                    if byte != read { Issue.record("bytes out of order") }
                    read &+= 1
                }
            }
            output.consume(count)
        }
        output.append(UInt32(0x0102_0304))
        output.rewind(toCount: output.count - 2)
        output.consume(output.count - 2)
        #expect(output.withPending { Array($0) } == [1, 2])
    }
}
