import AMQP
import Reactor
import TestSupport
import Testing

@Suite("Looking and provisioning")
struct AdministrationTests {
    @Test("a check names the exchanges and queues that are missing, and only those")
    @Loop func names() async throws {
        try await Scratch.run { scratch in
            let queue = try await scratch.queue()
            let exchange = try await scratch.exchange(type: "topic")
            let check = BrokerCheck(address: scratch.address, name: "check")
            #expect(try await check.missing(exchanges: [exchange], queues: [queue]).isEmpty)
            let absent = [scratch.name("no.exchange"), scratch.name("no.queue")]
            #expect(
                try await check.missing(exchanges: [exchange, absent[0]], queues: [absent[1], queue, absent[1]])
                    == [absent[0], absent[1], absent[1]])
        }
    }

    @Test("a wrong password is told as the broker's refusal")
    @Loop func wrongPassword() async throws {
        var address = try Scratch().address
        address.password = "not-the-password"
        let error = await #expect(throws: BrokerError.self) {
            try await BrokerCheck(address: address, name: "check").missing(exchanges: [], queues: [])
        }
        #expect(error?.kind == .connectionClosed)
        #expect(error?.code == 403)
        #expect(error?.text.contains("ACCESS_REFUSED") == true)
        #expect(error?.text.contains("not-the-password") == false)
    }

    @Test("a virtual host that is not there is told by its name")
    @Loop func wrongVirtualHost() async throws {
        var address = try Scratch().address
        address.virtualHost = "no-such-host"
        let error = await #expect(throws: BrokerError.self) {
            try await BrokerCheck(address: address, name: "check").missing(exchanges: [], queues: [])
        }
        #expect(error?.kind == .connectionClosed)
        #expect(error?.code == 530)
        #expect(error?.text.contains("no-such-host") == true)
    }

    @Test("a host that nobody answers at is told as unreachable")
    @Loop func unreachable() async throws {
        for address in [BrokerAddress(host: "127.0.0.1", port: 1), BrokerAddress(host: "no-such-host.invalid")] {
            let error = await #expect(throws: BrokerError.self) {
                try await BrokerCheck(address: address, name: "check").missing(exchanges: [], queues: [])
            }
            #expect(error?.kind == .unreachable)
        }
    }

    @Test("a queue that is there with other arguments is told with the broker's code")
    @Loop func otherArguments() async throws {
        try await Scratch.run { scratch in
            let queue = try await scratch.queue()
            let error = await #expect(throws: BrokerError.self) {
                try await scratch.provisioner.perform([.queue(queue, arguments: ["x-max-length": 5])])
            }
            #expect(error?.kind == .channelClosed)
            #expect(error?.code == 406)
        }
    }
}
