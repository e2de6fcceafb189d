import Testing

@testable import Ingress

@Suite("The deadlines of a connection")
struct ConnectionDeadlinesTests {
    private let timeouts = ConnectionTimeouts(idle: 60, head: 10, body: 30, response: 50, stall: 20)
    private var deadlines: ConnectionDeadlines { ConnectionDeadlines(timeouts: timeouts, now: 100) }

    @Test("a new connection without input is closed after the head timeout")
    func idle() {
        var deadlines = deadlines
        #expect(deadlines.check(at: 109) == .wait(until: 110))
        #expect(deadlines.check(at: 110) == .close)
    }

    @Test("the head timeout starts with the first byte of a request, and further bytes do not extend it")
    func slowHead() {
        var deadlines = deadlines
        for moment in 110..<120 { deadlines.readBytes(at: UInt64(moment)) }
        #expect(deadlines.check(at: 119) == .wait(until: 120))
        #expect(deadlines.check(at: 120) == .headTimeout)
    }

    @Test("the body timeout starts at the end of the header fields and is reported once")
    func slowBody() {
        var deadlines = deadlines
        deadlines.readBytes(at: 110)
        deadlines.readHead(at: 115)
        #expect(deadlines.isReadingBody)
        deadlines.readBytes(at: 140)
        #expect(deadlines.check(at: 144) == .wait(until: 145))
        #expect(deadlines.check(at: 145) == .bodyTimeout)
        #expect(deadlines.check(at: 145) == .wait(until: 195))
        #expect(deadlines.check(at: 195) == .close)
    }

    @Test("the response timeout starts at the end of the request and closes the connection")
    func response() {
        var deadlines = deadlines
        deadlines.readBytes(at: 110)
        deadlines.readHead(at: 110)
        deadlines.readEnd(at: 120)
        #expect(deadlines.check(at: 169) == .wait(until: 170))
        #expect(deadlines.check(at: 170) == .close)
    }

    @Test("the idle timeout starts when a response was sent")
    func keepAlive() {
        var deadlines = deadlines
        deadlines.readBytes(at: 110)
        deadlines.readHead(at: 110)
        deadlines.readEnd(at: 110)
        #expect(deadlines.unanswered == 1)
        deadlines.wroteEnd(at: 130, isLast: true)
        #expect(deadlines.unanswered == 0)
        #expect(deadlines.deadline == 190)
    }

    @Test("if a head timeout ends while an earlier response is due, the connection is closed without a 408")
    func pipelined() {
        var deadlines = deadlines
        deadlines.readBytes(at: 110)
        deadlines.readHead(at: 110)
        deadlines.readEnd(at: 110)
        deadlines.readBytes(at: 111)
        #expect(deadlines.check(at: 121) == .close)
    }

    @Test("a further request does not extend the response timeout; it starts again only after each response")
    func slowReader() {
        var deadlines = deadlines
        func receiveRequest(at moment: UInt64) {
            deadlines.readBytes(at: moment)
            deadlines.readHead(at: moment)
            deadlines.readEnd(at: moment)
        }
        receiveRequest(at: 110)
        receiveRequest(at: 150)
        #expect(deadlines.deadline == 160)
        deadlines.wroteEnd(at: 155, isLast: true)
        #expect(deadlines.deadline == 205)
        deadlines.readBytes(at: 200)
        #expect(deadlines.deadline == 205)
        #expect(deadlines.check(at: 205) == .close)
    }

    @Test("a client that stops reading is disconnected after the stall timeout, and a slow reader is not")
    func stalledReader() {
        var deadlines = deadlines
        deadlines.readBytes(at: 110)
        deadlines.readHead(at: 110)
        deadlines.readEnd(at: 110)
        deadlines.beganSending(at: 115)
        #expect(deadlines.deadline == 135)
        deadlines.stillUnsent(5000, at: 135)
        #expect(deadlines.check(at: 135) == .wait(until: 155))
        deadlines.stillUnsent(4999, at: 155)
        #expect(deadlines.check(at: 155) == .wait(until: 160), "the response timeout")
        deadlines.wroteEnd(at: 156, isLast: false)
        deadlines.stillUnsent(100, at: 170)
        #expect(deadlines.deadline == 190)
        deadlines.stillUnsent(100, at: 190)
        #expect(deadlines.check(at: 190) == .stalled)
        deadlines.wroteEnd(at: 190, isLast: true)
        #expect(deadlines.deadline == 250)
    }

    @Test("a response that is sent before the end of the body does not change the body timeout")
    func early() {
        var deadlines = deadlines
        deadlines.readBytes(at: 110)
        deadlines.readHead(at: 110)
        deadlines.wroteEnd(at: 111, isLast: true)
        #expect(deadlines.deadline == 140)
        deadlines.readEnd(at: 120)
        #expect(deadlines.deadline == 180)
    }

    @Test("a response without a request does not make the number of unanswered requests negative")
    func underflow() {
        var deadlines = deadlines
        deadlines.wroteEnd(at: 110, isLast: true)
        #expect(deadlines.unanswered == 0)
    }
}
