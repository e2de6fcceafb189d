import BrokerSupport
import FaultProxy
import Foundation
import Reactor
import TestSupport
import Testing

@testable import AMQP

@Suite("Hosts of the broker")
struct HostTests {
    private static let host = "broker.test"

    /// Returns the tests' broker under another host and port.
    private func broker(_ host: String = HostTests.host, port: Int) throws -> BrokerAddress {
        try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL")).at(host, port: port)
    }

    private func secureBroker(_ host: String = HostTests.host, through proxy: TLSProxy) throws -> BrokerAddress {
        var address = try broker(host, port: proxy.port)
        (address.isTLS, address.caCertificateFile) = (true, proxy.certificate)
        return address
    }

    private func brokerPort() throws -> Int {
        try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL")).port
    }

    /// Connects and logs in. Returns the error, or `nil` if the connection works.
    private func failure(_ address: BrokerAddress) async -> AMQPError? {
        do {
            _ = try await BrokerCheck(address: address, name: "hosts").missing(exchanges: [], queues: [])
            return nil
        } catch {
            return error
        }
    }

    @Test("an address of the broker that refuses, or accepts and stays silent, does not keep others from being used")
    @Loop func badAddresses() async throws {
        let good = try FaultProxy(to: brokerPort(), on: "127.0.0.1")
        let silent = try FaultProxy(to: brokerPort(), on: "127.0.0.2", port: good.port)
        defer { for proxy in [good, silent] { proxy.stop() } }
        silent.stall()
        try await HostTable([Self.host: ["127.0.0.3", "127.0.0.2", "127.0.0.1"]]).use {
            let address = try broker(port: good.port)
            let start = ContinuousClock.now
            #expect(await failure(address) == nil)
            #expect(.now - start < .seconds(20))
            #expect(silent.acceptedCount >= 1)
        }
    }

    @Test("with TLS, an address that refuses, or accepts and stays silent, does not keep others from being used")
    @Loop func badTLSAddresses() async throws {
        let good = try await TLSProxy.start(to: brokerPort(), subject: "DNS:\(Self.host)", serverName: Self.host)
        let silent = try FaultProxy(to: brokerPort(), on: "127.0.0.2", port: good.port)
        defer {
            good.stop()
            silent.stop()
        }
        silent.stall()
        try await HostTable([Self.host: ["127.0.0.3", "127.0.0.2", "127.0.0.1"]]).use {
            let address = try secureBroker(through: good)
            let start = ContinuousClock.now
            try await withPublisher(address) { _ in }
            #expect(.now - start < .seconds(20))
            #expect(silent.acceptedCount >= 1)
        }
    }

    @Test("the broker's certificate must have the host of the URL, and not the address that the host resolves to")
    @Loop func certificate() async throws {
        let named = try await TLSProxy.start(to: brokerPort(), subject: "DNS:\(Self.host)", serverName: Self.host)
        defer { named.stop() }
        let other = try await TLSProxy.start(
            to: brokerPort(), subject: "DNS:other.test,IP:127.0.0.1", serverName: Self.host)
        defer { other.stop() }
        try await HostTable([Self.host: ["127.0.0.1"]]).use {
            #expect(try await failure(secureBroker(through: named)) == nil)
            #expect(try await failure(secureBroker(through: other))?.code == .insecure)
            var unverified = try secureBroker(through: other)
            unverified.verifiesPeer = false
            #expect(await failure(unverified) == nil)
            // The certificate has the right name, but its issuer is not trusted.
            var untrusted = try secureBroker(through: named)
            untrusted.caCertificateFile = other.certificate
            #expect(await failure(untrusted)?.code == .insecure)
        }
    }

    @Test("an IP address in an amqps:// URL is compared with the IP addresses in the broker's certificate")
    @Loop func addressInCertificate() async throws {
        let named = try await TLSProxy.start(to: brokerPort(), subject: "DNS:127.0.0.1,IP:127.0.0.9", serverName: "")
        defer { named.stop() }
        #expect(try await failure(secureBroker("127.0.0.1", through: named))?.code == .insecure)
        for address in ["127.0.0.1", "::1"] {
            let proxy = try await TLSProxy.start(
                to: brokerPort(), on: address, subject: "IP:\(address)", serverName: "")
            defer { proxy.stop() }
            #expect(try await failure(secureBroker(address, through: proxy)) == nil, "\(address)")
        }
    }

    @Test("the host of an amqp:// URL can be an IPv6 address")
    @Loop func ipv6() async throws {
        let proxy = try FaultProxy(to: brokerPort(), on: "::1")
        defer { proxy.stop() }
        let user = try broker(port: proxy.port)
        let address = try BrokerAddress(
            url: "amqp://\(user.user):\(user.password)@[::1]:\(proxy.port)/\(user.virtualHost)")
        try await withPublisher(address) { _ in }
        #expect(proxy.acceptedCount == 1)
    }

    @Test("of several hosts, one that refuses and one that stays silent do not keep the third from being used")
    @Loop func badHosts() async throws {
        let good = try FaultProxy(to: brokerPort())
        let silent = try FaultProxy(to: brokerPort())
        let refusing = try FaultProxy(to: brokerPort())
        defer { for proxy in [good, silent, refusing] { proxy.stop() } }
        silent.stall()
        refusing.stop()
        let address = try broker(port: 1).at([good, silent, refusing].map { .init("127.0.0.1", port: $0.port) })
        // The order is random. The probability that 30 attempts all try the good host before the silent one is 1 in
        // a billion.
        for _ in 1...30 where silent.acceptedCount == 0 {
            let start = ContinuousClock.now
            #expect(await failure(address) == nil)
            #expect(.now - start < .seconds(4))
        }
        #expect(silent.acceptedCount > 0 && good.acceptedCount > 0)
    }

    @Test("of several hosts, one whose name cannot be resolved does not keep others from being used")
    @Loop func unknownHost() async throws {
        let known = try BrokerAddress.Host("127.0.0.1", port: brokerPort())
        let address = try broker(port: 1).at([.init("no-such-host.invalid", port: known.port), known])
        for _ in 1...5 { #expect(await failure(address) == nil) }
    }

    @Test("if one host refuses the login and another cannot be reached, the error is transient")
    @Loop func mixedFailures() async throws {
        let known = try BrokerAddress.Host("127.0.0.1", port: brokerPort())
        var address = try broker(port: 1).at([known, .init("127.0.0.1", port: 1)])
        address.password = "not-the-password"
        for _ in 1...5 { #expect(await failure(address)?.code == .unreachable) }
        #expect(await failure(address.at([known]))?.replyCode == 403)
    }

    @Test("with TLS, the certificate of each of several hosts must have the name of this host")
    @Loop func certificates() async throws {
        let one = try await TLSProxy.start(to: brokerPort(), subject: "DNS:one.test", serverName: "one.test")
        let two = try await TLSProxy.start(to: brokerPort(), subject: "DNS:two.test", serverName: "two.test")
        let wrong = try await TLSProxy.start(to: brokerPort(), subject: "DNS:one.test", serverName: "two.test")
        defer { for proxy in [two, wrong] { proxy.stop() } }
        let folder = try TemporaryFolder()
        let trusted = try [one, two, wrong].map { try String(contentsOfFile: $0.certificate, encoding: .utf8) }
        try folder.write(trusted.joined(), to: "trusted.pem")
        try await HostTable(["one.test": ["127.0.0.1"], "two.test": ["127.0.0.1"]]).use {
            var address = try secureBroker(through: one)
            address.caCertificateFile = folder.path("trusted.pem")
            address.hosts = [.init("two.test", port: wrong.port)]
            #expect(await failure(address)?.code == .insecure)
            address.hosts = [.init("one.test", port: one.port), .init("two.test", port: two.port)]
            #expect(await failure(address) == nil)
            one.stop()
            for _ in 1...3 { #expect(await failure(address) == nil) }
        }
    }

    @Test("a publisher whose host becomes silent connects to another host after two heartbeat intervals")
    @Loop func silentHost() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            let proxies = try (1...3).map { _ in try FaultProxy(to: topology.address.port) }
            defer { for proxy in proxies { proxy.stop() } }
            var address = topology.address.at(proxies.map { .init("127.0.0.1", port: $0.port) })
            address.heartbeat = 1
            try await withPublisher(address) { publisher in
                try await publisher.publishConfirmed(.text("first", to: queue))
                for proxy in proxies where proxy.acceptedCount > 0 { proxy.stall() }
                try await becomes(within: .seconds(5)) { publisher.availability == .connecting }
                #expect(await publisher.waitUntilAvailable(within: .seconds(5)))
                try await publisher.publishConfirmed(.text("second", to: queue))
                // The silent host is tried last, so it gets no second connection, whose timeout would be waited for.
                #expect(proxies.map(\.acceptedCount).sorted() == [0, 1, 1])
            }
        }
    }

    @Test("if the broker comes back under another address of its host name, publishers and consumers find it")
    @Loop func changedDNS() async throws {
        try await TestTopology.run { topology in
            let queue = try await topology.queue()
            let old = try FaultProxy(to: brokerPort(), on: "127.0.0.1")
            let new = try FaultProxy(to: brokerPort(), on: "127.0.0.2", port: old.port)
            defer { for proxy in [old, new] { proxy.stop() } }
            let hosts = HostTable([Self.host: ["127.0.0.1"]])
            try await hosts.use {
                let inbox = Inbox()
                let subscription = Subscription.queue(queue, prefetch: 1) { delivery in
                    inbox.deliveries.append(delivery)
                    delivery.ack()
                }
                let address = try broker(port: old.port)
                try await withConsumer(address, [subscription]) { _ in
                    try await withPublisher(address) { publisher in
                        try await publisher.publishConfirmed(.text("old", to: queue))
                        try await becomes { inbox.bodies == ["old"] }
                        hosts.set(Self.host, to: ["127.0.0.2"])
                        old.stop()
                        try await becomes { new.acceptedCount >= 2 }
                        #expect(await publisher.waitUntilAvailable(within: .seconds(20)))
                        try await publisher.publishConfirmed(.text("new", to: queue))
                        try await becomes(within: .seconds(20)) { inbox.bodies.last == "new" }
                    }
                }
            }
        }
    }
}
