import Contracts
import Testing

@testable import Ingress

@Suite("The state of an HTTP connection")
struct HTTPConnectionStateTests {
    private let problem = Problem(.malformedRequest)
    private let malformedBody = HTTPConnectionState.Action.failBody(
        Problem(.malformedRequest, detail: "The framing of the body is malformed."))

    private func open() -> HTTPConnectionState {
        HTTPConnectionState(timeouts: ConnectionTimeouts(idle: 60, head: 10, body: 30, response: 50, stall: 20), now: 0)
    }

    /// A connection that has received one request without a body.
    private func requested(_ persistence: RequestHead.Persistence = .implicitKeepAlive) -> HTTPConnectionState {
        var state = open()
        state.readBytes(1, at: 0)
        state.expectRequest(persistence)
        #expect(state.readHead(at: 0) == .pass)
        #expect(state.readEnd(at: 0) == .pass)
        return state
    }

    @Test("the framing of a chunked body may have 16 KiB and one byte for each byte of the body")
    func framing() {
        var state = open()
        state.readBytes(100, at: 0)
        state.expectRequest(.implicitKeepAlive)
        #expect(state.readHead(at: 0) == .pass)
        state.readBytes(16_384 + 2 * 1000, at: 1)
        #expect(state.readBody(1000) == .pass)
        #expect(state.parsedBytes(at: 1) == .none)
        state.readBytes(1, at: 2)
        #expect(state.parsedBytes(at: 2) == malformedBody)
        #expect(state.parsedBytes(at: 2) == .none)
    }

    @Test("a connection stays open after a response, and only an HTTP/1.0 response has Connection: keep-alive")
    func keepAlive() {
        for (persistence, field) in [
            (.implicitKeepAlive, .unchanged), (.explicitKeepAlive, .keepAlive),
        ] as [(RequestHead.Persistence, HTTPConnectionState.ConnectionField)] {
            var state = requested(persistence)
            #expect(state.beginResponse(closes: false) == field)
            let isWritten = state.endResponse(at: 1)
            #expect(isWritten)
            #expect(state.responseSent(at: 1) == .none)
            #expect(state.readHead(at: 2) == .pass)
        }
    }

    @Test("after a request with Connection: close, input is discarded, and the response closes the connection")
    func close() {
        var state = requested(.close)
        #expect(state.readHead(at: 1) == .discard)
        #expect(state.beginResponse(closes: false) == .close)
        let isWritten = state.endResponse(at: 1)
        #expect(isWritten)
        #expect(state.responseSent(at: 1) == .shutDown)
    }

    @Test("a response is not written without a request, twice for one request, or after the last response")
    func unexpectedResponses() {
        var state = open()
        #expect(state.beginResponse(closes: false) == nil)
        let isWritten = state.endResponse(at: 1)
        #expect(!isWritten)

        state = requested()
        #expect(state.beginResponse(closes: true) == .close)
        #expect(state.beginResponse(closes: false) == nil)
        let isLastWritten = state.endResponse(at: 1)
        #expect(isLastWritten)
        #expect(state.beginResponse(closes: false) == nil)
    }

    @Test("malformed input is refused after the responses to earlier requests are sent")
    func refusalWaits() {
        var state = requested()
        #expect(state.parseFailed(problem, at: 1) == .none)
        #expect(state.beginResponse(closes: false) == .unchanged)
        let isWritten = state.endResponse(at: 1)
        #expect(isWritten)
        #expect(state.responseSent(at: 2) == .refuse(problem))
        #expect(state.responseSent(at: 3) == .shutDown)
    }

    @Test("malformed input in a body fails the reader of the body; if the response is written, it ends the connection")
    func malformedBodyEnds() {
        var state = open()
        state.expectRequest(.implicitKeepAlive)
        #expect(state.readHead(at: 0) == .pass)
        #expect(state.parseFailed(problem, at: 1) == malformedBody)
        #expect(state.beginResponse(closes: false) == .close)
        let isWritten = state.endResponse(at: 1)
        #expect(isWritten)

        state = open()
        state.expectRequest(.implicitKeepAlive)
        #expect(state.readHead(at: 0) == .pass)
        #expect(state.beginResponse(closes: false) == .unchanged)
        let isEarlyWritten = state.endResponse(at: 1)
        #expect(isEarlyWritten)
        #expect(state.parseFailed(problem, at: 1) == .shutDown)
    }

    @Test("after the response, up to 64 KiB of a body are read, and one more byte ends the connection")
    func drain() {
        var state = open()
        state.expectRequest(.implicitKeepAlive)
        #expect(state.readHead(at: 0) == .pass)
        #expect(state.readBody(1 << 20) == .pass)
        #expect(state.beginResponse(closes: false) == .unchanged)
        let isWritten = state.endResponse(at: 1)
        #expect(isWritten)
        #expect(state.readBody(64 * 1024) == .pass)
        #expect(state.readBody(1) == .shutDown)
    }

    @Test("a graceful shutdown closes an idle connection at once, and another one after the response that is due")
    func quiesce() {
        var idle = open()
        #expect(idle.quiesce() == .close)

        var busy = requested()
        #expect(busy.quiesce() == .none)
        #expect(busy.beginResponse(closes: false) == .close)
        let isWritten = busy.endResponse(at: 1)
        #expect(isWritten)
        #expect(busy.responseSent(at: 1) == .shutDown)
    }

    @Test("an incomplete head gets 408 after the head timeout, and an incomplete body fails its reader")
    func timeouts() {
        var head = open()
        head.readBytes(1, at: 0)
        #expect(head.checkDeadline(at: 9) == .none)
        #expect(head.checkDeadline(at: 10) == .refuse(Problem(.requestTimeout)))

        var body = open()
        body.expectRequest(.implicitKeepAlive)
        #expect(body.readHead(at: 0) == .pass)
        let timeout = Problem(.requestTimeout, detail: "The body did not arrive in time.")
        #expect(body.checkDeadline(at: 30) == .failBody(timeout))
        #expect(body.checkDeadline(at: 80) == .close)
    }

    @Test("a connection awaits the reply from the end of the request until the response is written")
    func awaitsReply() {
        var state = open()
        #expect(!state.awaitsReply)
        state.readBytes(1, at: 0)
        state.expectRequest(.implicitKeepAlive)
        #expect(state.readHead(at: 0) == .pass)
        #expect(!state.awaitsReply)
        #expect(state.readEnd(at: 1) == .pass)
        #expect(state.awaitsReply)
        #expect(state.beginResponse(closes: false) == .unchanged)
        #expect(!state.awaitsReply)
        let isWritten = state.endResponse(at: 2)
        #expect(isWritten && !state.awaitsReply)
        #expect(state.responseSent(at: 3) == .none)
        #expect(!state.awaitsReply)
    }

    @Test("a request on a reserved connection is refused after the earlier responses")
    func refusedRequest() {
        var state = open()
        state.expectRequest(.implicitKeepAlive)
        #expect(state.refuseRequest(problem, at: 1) == .refuse(problem))
        #expect(state.readHead(at: 1) == .discard && state.readEnd(at: 1) == .discard)
        #expect(state.responseSent(at: 2) == .shutDown)

        state = requested()
        state.expectRequest(.implicitKeepAlive)
        #expect(state.refuseRequest(problem, at: 1) == .none)
        #expect(state.beginResponse(closes: false) == .unchanged)
        let isWritten = state.endResponse(at: 1)
        #expect(isWritten)
        #expect(state.responseSent(at: 2) == .refuse(problem))
    }
}
