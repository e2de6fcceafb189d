import FaultProxy
import Reactor
import TestSupport
import Testing

@testable import Postgres

@Suite("Hosts of PostgreSQL")
struct HostTests {
    private static let host = "database.test"

    /// Returns the URL of a database with another host and port.
    private func url(_ database: DriverDatabase, _ host: String = HostTests.host, port: Int) throws -> String {
        let url = database.url.replacing("127.0.0.1:\(database.port)/", with: "\(host):\(port)/")
        try #require(url != database.url)
        // The server has no certificate for the name.
        return url + "&sslmode=disable"
    }

    @Test("an address of PostgreSQL that refuses, or accepts and stays silent, does not keep others from being used")
    @Loop func badAddresses() async throws {
        try await DriverDatabase.with { database in
            let good = try FaultProxy(to: database.port, on: "127.0.0.1")
            let silent = try FaultProxy(to: database.port, on: "127.0.0.2", port: good.port)
            defer { for proxy in [good, silent] { proxy.stop() } }
            silent.stall()
            try await HostTable([Self.host: ["127.0.0.3", "127.0.0.2", "127.0.0.1"]]).use {
                let start = ContinuousClock.now
                try await DriverDatabase.withPool(url(database, port: good.port), size: 1) { pool in
                    let rows = try await pool.query(Statement("SELECT 1"), deadline: start + .seconds(20))
                    #expect(rows.count == 1)
                    #expect(silent.acceptedCount >= 1)
                }
            }
        }
    }

    @Test("the host of a postgres:// URL can be an IPv6 address")
    @Loop func ipv6() async throws {
        try await DriverDatabase.with { database in
            let proxy = try FaultProxy(to: database.port, on: "::1")
            defer { proxy.stop() }
            try await DriverDatabase.withPool(url(database, "[::1]", port: proxy.port), size: 1) { pool in
                let rows = try await pool.query(Statement("SELECT 1"))
                #expect(rows.count == 1)
            }
            #expect(proxy.acceptedCount == 1)
        }
    }

    @Test("if PostgreSQL comes back under another address of its host name, the pool finds it")
    @Loop func changedDNS() async throws {
        try await DriverDatabase.with { database in
            let old = try FaultProxy(to: database.port, on: "127.0.0.1")
            let new = try FaultProxy(to: database.port, on: "127.0.0.2", port: old.port)
            defer { for proxy in [old, new] { proxy.stop() } }
            let hosts = HostTable([Self.host: ["127.0.0.1"]])
            try await hosts.use {
                try await DriverDatabase.withPool(url(database, port: old.port), size: 1) { pool in
                    _ = try await pool.query(Statement("SELECT 1"))
                    hosts.set(Self.host, to: ["127.0.0.2"])
                    old.stop()
                    let answers = try await eventually(within: .seconds(20)) {
                        (try? await pool.query(Statement("SELECT 1"), deadline: .now + .seconds(2))) != nil
                    }
                    #expect(answers)
                    #expect(new.acceptedCount >= 1)
                }
            }
        }
    }
}
