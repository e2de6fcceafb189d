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
        var address = try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL"))
        (address.host, address.port) = (host, port)
        return address
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
