import Contracts
import Testing

@testable import Ingress

@Suite("Trace contexts and request ids")
struct TracingTests {
    private static let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test("a valid traceparent is adopted with its tracestate")
    func valid() {
        let context = TraceContext(traceparent: Self.valid, tracestate: "a=1,b=2")
        #expect(context.traceparent == Self.valid)
        #expect(context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(context.tracestate == "a=1,b=2")
    }

    @Test("a traceparent of a later version may have more fields")
    func laterVersion() {
        let text = "cc" + Self.valid.dropFirst(2) + "-further-field"
        #expect(TraceContext(traceparent: text, tracestate: nil).traceparent == text)
    }

    @Test(
        "an invalid traceparent starts a new trace",
        arguments: [
            nil, "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-\u{7}", "ää-ää",
        ])
    func invalid(text: String?) {
        let context = TraceContext(traceparent: text, tracestate: "a=1")
        #expect(context.traceparent != text)
        #expect(context.tracestate == nil)
        #expect(TraceContext(traceparent: context.traceparent, tracestate: nil) == context)
    }

    @Test("a tracestate that is empty, too long or not printable ASCII is dropped")
    func state() {
        for state in ["", String(repeating: "a", count: 513), "a=ä", "a=\n"] {
            #expect(TraceContext(traceparent: Self.valid, tracestate: state).tracestate == nil)
        }
    }

    @Test("new traces have different trace ids")
    func different() {
        #expect(Set((0..<100).map { _ in TraceContext().traceID }).count == 100)
    }

    @Test("a client's request id of safe characters is adopted", arguments: ["a", "A-b_c.d~e+f/g=h:i@j", "0123456789"])
    func adopted(id: String) {
        #expect(RequestID.make(from: id) == id)
        let longest = String(repeating: "x", count: 128)
        #expect(RequestID.make(from: longest) == longest)
    }

    @Test(
        "a request id that is empty, longer than 128 characters or has unsafe characters is replaced",
        arguments: [nil, "", "a b", "a\"b", "a\\b", "ä", "a\u{1B}[2J", "<script>", String(repeating: "x", count: 129)])
    func replaced(id: String?) {
        #expect(RequestID.make(from: id) != id)
        #expect(RequestID.make(from: id) != RequestID.make(from: id))
    }

    @Test("the random pool does not return a number twice, even to concurrent tasks")
    func pool() async {
        let numbers = await withTaskGroup(of: [UInt64].self) { group in
            for _ in 0..<4 { group.addTask { (0..<2000).map { _ in RandomPool.shared.next() } } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(numbers).count == 8000)
    }
}
