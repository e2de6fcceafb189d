import Reactor
import TestSupport
import Testing

@testable import AMQP

@Suite("Broker check")
struct BrokerCheckTests {
    @Test("a broker check returns exactly the exchanges and queues that do not exist")
    @Loop func names() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            let exchange = try await topology.exchange(type: "topic")
            let check = BrokerCheck(address: topology.address, name: "check")
            #expect(try await check.missing(exchanges: [exchange], queues: [queue]).isEmpty)
            let absent = [topology.name("no.exchange"), topology.name("no.queue")]
            #expect(
                try await check.missing(exchanges: [exchange, absent[0]], queues: [absent[1], queue, absent[1]])
                    == [absent[0], absent[1], absent[1]])
        }
    }

    @Test("a broker check does not return a queue that exists on a node of the cluster that is down")
    @Loop func homeNodeDown() async throws {
        for (text, missing) in [
            ("NOT_FOUND - home node 'a@b' of durable queue 'q' in vhost 'v' is down or inaccessible", []),
            ("NOT_FOUND - no queue 'q' in vhost 'v'", ["q"]),
        ] {
            let broker = try ScriptedBroker(refusal: text)
            defer { broker.stop() }
            let check = BrokerCheck(address: BrokerAddress(host: "127.0.0.1", port: broker.port), name: "check")
            #expect(try await check.missing(exchanges: [], queues: ["q"]) == missing, "\(text)")
        }
    }

    @Test("a broker check with a wrong password throws connectionClosed without the password in the message")
    @Loop func wrongPassword() async throws {
        var address = try TestTopology().address
        address.password = "not-the-password"
        let error = await #expect(throws: AMQPError.self) {
            try await BrokerCheck(address: address, name: "check").missing(exchanges: [], queues: [])
        }
        #expect(error?.code == .connectionClosed)
        #expect(error?.replyCode == 403)
        #expect(error?.message.contains("ACCESS_REFUSED") == true)
        #expect(error?.message.contains("not-the-password") == false)
    }

    @Test("a broker check with an unknown virtual host throws connectionClosed with the host's name")
    @Loop func wrongVirtualHost() async throws {
        var address = try TestTopology().address
        address.virtualHost = "no-such-host"
        let error = await #expect(throws: AMQPError.self) {
            try await BrokerCheck(address: address, name: "check").missing(exchanges: [], queues: [])
        }
        #expect(error?.code == .connectionClosed)
        #expect(error?.replyCode == 530)
        #expect(error?.message.contains("no-such-host") == true)
    }

    @Test("a broker check throws unreachable if the host is unknown or does not accept connections")
    @Loop func unreachable() async throws {
        for address in [BrokerAddress(host: "127.0.0.1", port: 1), BrokerAddress(host: "no-such-host.invalid")] {
            let error = await #expect(throws: AMQPError.self) {
                try await BrokerCheck(address: address, name: "check").missing(exchanges: [], queues: [])
            }
            #expect(error?.code == .unreachable)
        }
    }

    @Test("of the AMQP error codes, only unreachable, silent and lost are transient")
    func transience() {
        let transient: [ErrorCode<AMQPError>] = [.unreachable, .silent, .lost]
        let permanent: [ErrorCode<AMQPError>] = [
            .address, .insecure, .connectionClosed, .channelClosed, .consumerCancelled, .malformed,
        ]
        for code in transient { #expect(AMQPError(code, "").isTransient, "\(code)") }
        for code in permanent { #expect(!AMQPError(code, "").isTransient, "\(code)") }
    }

    @Test("the description of an AMQP error contains its code, the broker's reply code and the cause")
    func description() {
        #expect("\(AMQPError(.channelClosed, "NO_ACCESS", replyCode: 403))" == "channel-closed: 403 NO_ACCESS")
        let cause = SystemError(call: "epoll_ctl", errno: 9)
        #expect("\(AMQPError(.lost, "no watch", cause: cause))" == "lost: no watch; cause: \(cause)")
    }
}
