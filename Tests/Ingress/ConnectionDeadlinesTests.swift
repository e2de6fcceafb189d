import Testing

@testable import Ingress

@Suite("The phases of a connection")
struct ConnectionClockTests {
    private let limits = ConnectionLimits(idle: 60, head: 10, body: 30, answer: 50)
    private var clock: ConnectionClock { ConnectionClock(limits: limits, now: 100) }

    @Test("a connection on which nothing ever comes is closed as soon as one whose fields do not")
    func idle() {
        var clock = clock
        #expect(clock.expire(at: 109) == .wait(until: 110))
        #expect(clock.expire(at: 110) == .close)
    }

    @Test("fields have their time from their first byte, however many more come")
    func slowHead() {
        var clock = clock
        for moment in 110..<120 { clock.readBytes(at: UInt64(moment)) }
        #expect(clock.expire(at: 119) == .wait(until: 120))
        #expect(clock.expire(at: 120) == .headTooSlow)
    }

    @Test("a body has its time from the end of the fields, and that is said once")
    func slowBody() {
        var clock = clock
        clock.readBytes(at: 110)
        clock.readHead(at: 115)
        #expect(clock.isReadingBody)
        clock.readBytes(at: 140)
        #expect(clock.expire(at: 144) == .wait(until: 145))
        #expect(clock.expire(at: 145) == .bodyTooSlow)
        #expect(clock.expire(at: 145) == .wait(until: 195))
        #expect(clock.expire(at: 195) == .close)
    }

    @Test("an answer has its time from the end of the request")
    func answer() {
        var clock = clock
        clock.readBytes(at: 110)
        clock.readHead(at: 110)
        clock.readEnd(at: 120)
        #expect(clock.expire(at: 169) == .wait(until: 170))
        #expect(clock.expire(at: 170) == .close)
    }

    @Test("after its answer a connection may idle again")
    func keepAlive() {
        var clock = clock
        clock.readBytes(at: 110)
        clock.readHead(at: 110)
        clock.readEnd(at: 110)
        #expect(clock.unanswered == 1)
        clock.wroteEnd(at: 130)
        #expect(clock.unanswered == 0)
        #expect(clock.deadline == 190)
    }

    @Test("a slow next request behind one that waits for its answer only closes")
    func pipelined() {
        var clock = clock
        clock.readBytes(at: 110)
        clock.readHead(at: 110)
        clock.readEnd(at: 110)
        clock.readBytes(at: 111)
        #expect(clock.expire(at: 121) == .close)
    }

    @Test("an answer's time goes on while its client asks for more, and begins anew for the next one")
    func slowReader() {
        var clock = clock
        func ask(at moment: UInt64) {
            clock.readBytes(at: moment)
            clock.readHead(at: moment)
            clock.readEnd(at: moment)
        }
        ask(at: 110)
        ask(at: 150)
        #expect(clock.deadline == 160)
        clock.wroteEnd(at: 155)
        #expect(clock.deadline == 205)
        clock.readBytes(at: 200)
        #expect(clock.deadline == 205)
        #expect(clock.expire(at: 205) == .close)
    }

    @Test("an answer before the end of its request's body leaves the body its time")
    func early() {
        var clock = clock
        clock.readBytes(at: 110)
        clock.readHead(at: 110)
        clock.wroteEnd(at: 111)
        #expect(clock.deadline == 140)
        clock.readEnd(at: 120)
        #expect(clock.deadline == 180)
    }

    @Test("an answer that was never asked for does not count below nothing")
    func underflow() {
        var clock = clock
        clock.wroteEnd(at: 110)
        #expect(clock.unanswered == 0)
    }
}
