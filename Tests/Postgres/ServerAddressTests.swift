import FaultProxy
import Reactor
import TestSupport
import Testing

@testable import Postgres

@Suite("Addresses of database servers")
struct ServerAddressTests {
    private func all(_ hosts: String, _ addresses: String = "", _ ports: String = "5432") -> [String] {
        ServerAddress.all(hosts: hosts, addresses: addresses, ports: ports, defaultPort: "5432").flatMap { server in
            server.resolved { host in
                switch host {
                case "one": ["10.0.0.1"]
                case "two": ["fd00::2", "10.0.0.2"]
                case "10.0.0.9", "::1": [host]
                default: []
                }
            }
        }.map { "\($0.host)|\($0.hostAddress)|\($0.port)" }
    }

    @Test("each address of each host is tried in order, with the host's own port or the common port")
    func order() {
        #expect(all("one") == ["one|10.0.0.1|5432"])
        #expect(all("one,two") == ["one|10.0.0.1|5432", "two|fd00::2|5432", "two|10.0.0.2|5432"])
        #expect(all("two,one", "", "1,2") == ["two|fd00::2|1", "two|10.0.0.2|1", "one|10.0.0.1|2"])
        #expect(all("one,two", "", ",7") == ["one|10.0.0.1|5432", "two|fd00::2|7", "two|10.0.0.2|7"])
        #expect(all("10.0.0.9,::1") == ["10.0.0.9|10.0.0.9|5432", "::1|::1|5432"])
    }

    @Test("given addresses are not resolved, and sockets and unknown names are left to libpq")
    func unresolved() {
        #expect(all("one,two", "192.0.2.1,192.0.2.2") == ["one|192.0.2.1|5432", "two|192.0.2.2|5432"])
        #expect(all("one,two", "192.0.2.1,") == ["one|192.0.2.1|5432", "two|fd00::2|5432", "two|10.0.0.2|5432"])
        #expect(all("", "192.0.2.1") == ["|192.0.2.1|5432"])
        #expect(all("/run/postgresql") == ["/run/postgresql||5432"])
        #expect(all("unknown") == ["unknown||5432"])
        #expect(all("") == ["||5432"])
    }

    @Test("lists of different lengths, which libpq refuses, have no addresses")
    func mismatch() {
        #expect(all("one,two", "192.0.2.1").isEmpty)
        #expect(all("one,two", "", "1,2,3").isEmpty)
    }

    @Test("a host that accepts connections and stays silent does not keep the pool from the next host")
    @Loop func silentHost() async throws {
        try await DriverDatabase.with { database in
            let proxy = try FaultProxy(to: database.port)
            defer { proxy.stop() }
            proxy.stall()
            let hosts = "127.0.0.1:\(proxy.port),127.0.0.1:\(database.port)/"
            let url = database.url.replacing("127.0.0.1:\(database.port)/", with: hosts)
            try #require(url != database.url)
            try await DriverDatabase.withPool(url, size: 1) { pool in
                let start = ContinuousClock.now
                let isConnected = try await eventually(within: .seconds(20)) { pool.availability == .available }
                #expect(isConnected)
                #expect(.now - start < .seconds(20))
                let rows = try await pool.query(Statement("SELECT 1"))
                #expect(rows.count == 1)
            }
        }
    }

    @Test("a URL can have several hosts without ports")
    @Loop func noPorts() async throws {
        // Nothing listens on the default port of these addresses, so the error shows that both were tried.
        let error = await #expect(throws: PostgresError.self) {
            try await Migrator(url: "postgres://127.0.0.71,127.0.0.72/x", log: DriverDatabase.log).migrate([])
        }
        #expect(error?.message.contains("127.0.0.72") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("port 5432") == true)
    }
}
