import FaultProxy
import Foundation
import Reactor
import TestSupport
import Testing

@testable import Redis

@Suite("Hosts of Redis", .timeLimit(.minutes(2)))
struct HostTests {
    private static let host = "redis.test"

    /// Returns the URL of the tests' Redis server with another host and port.
    private func url(_ host: String = HostTests.host, port: Int) throws -> String {
        var parts = try #require(URLComponents(string: redisURL()))
        (parts.host, parts.port) = (host, port)
        return try #require(parts.string)
    }

    private func redisPort() throws -> Int { try RedisAddress(url: redisURL()).port }

    @Test("an address of Redis that refuses, or accepts and stays silent, does not keep others from being used")
    @Loop func badAddresses() async throws {
        let good = try FaultProxy(to: redisPort(), on: "127.0.0.1")
        let silent = try FaultProxy(to: redisPort(), on: "127.0.0.2", port: good.port)
        defer { for proxy in [good, silent] { proxy.stop() } }
        silent.stall()
        try await HostTable([Self.host: ["127.0.0.3", "127.0.0.2", "127.0.0.1"]]).use {
            let start = ContinuousClock.now
            try await withClient(url(port: good.port), limits: RedisLimits()) { client async throws in
                #expect(.now - start < .seconds(5))
                #expect(silent.acceptedCount >= 1)
                #expect(try await client.send(["PING"]) == .status("PONG"))
            }
        }
    }

    @Test("the host of a redis:// URL can be an IPv6 address")
    @Loop func ipv6() async throws {
        let proxy = try FaultProxy(to: redisPort(), on: "::1")
        defer { proxy.stop() }
        try await withClient(url("[::1]", port: proxy.port)) { client async throws in
            #expect(try await client.send(["PING"]) == .status("PONG"))
        }
        #expect(proxy.acceptedCount == 1)
    }

    @Test("if Redis comes back under another address of its host name, the client finds it")
    @Loop func changedDNS() async throws {
        let old = try FaultProxy(to: redisPort(), on: "127.0.0.1")
        let new = try FaultProxy(to: redisPort(), on: "127.0.0.2", port: old.port)
        defer { for proxy in [old, new] { proxy.stop() } }
        let hosts = HostTable([Self.host: ["127.0.0.1"]])
        try await hosts.use {
            try await withClient(url(port: old.port)) { client async throws in
                hosts.set(Self.host, to: ["127.0.0.2"])
                old.stop()
                #expect(try await eventually(within: .seconds(20)) { new.acceptedCount > 0 && client.isConnected })
                #expect(try await client.send(["PING"]) == .status("PONG"))
            }
        }
    }
}
