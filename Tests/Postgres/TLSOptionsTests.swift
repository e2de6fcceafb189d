import Reactor
import TestSupport
import Testing

@testable import Postgres

@Suite("PostgreSQL TLS options")
struct TLSOptionsTests {
    private let roots = "/roots.crt"

    private func added(_ options: TLSOptions) -> [String: String] {
        options.defaults { roots }
    }

    // MARK: Defaults

    @Test(
        "a connection that stays on this machine gets no TLS options",
        arguments: [
            "", "localhost", "LocalHost", "127.0.0.1", "127.8.9.10", "::1", "0:0:0:0:0:0:0:1", "/run/postgresql",
            "@abstract", "127.0.0.1,::1,/tmp", ",localhost",
        ])
    func local(host: String) {
        #expect(added(TLSOptions(host: host)) == [:])
    }

    @Test(
        "a connection to another host verifies the server's certificate and name with the system's root certificates",
        arguments: [
            "db.example.com", "postgres", "10.0.0.1", "128.0.0.1", "0.0.0.0", "127.1", "127.0.0.1.example.com",
            "localhost.example.com", "localhost.", "::", "::2", "1::1", "fd00::1", "127.0.0.1,db.example.com",
            "db.example.com,/tmp", " localhost",
        ])
    func remote(host: String) {
        #expect(added(TLSOptions(host: host)) == ["sslmode": "verify-full", "sslrootcert": roots])
    }

    @Test("the address of a host, if there is one, determines whether the host is on this machine")
    func addresses() {
        #expect(added(TLSOptions(host: "db.example.com", hostAddress: "127.0.0.1")) == [:])
        #expect(added(TLSOptions(host: "a.example.com,b.example.com", hostAddress: "127.0.0.1,::1")) == [:])
        for (host, address) in [
            ("localhost", "10.0.0.1"), ("", "10.0.0.1"), ("a,b", "127.0.0.1,"), ("localhost,localhost", "::1,10.0.0.1"),
        ] {
            #expect(added(TLSOptions(host: host, hostAddress: address))["sslmode"] == "verify-full")
        }
    }

    @Test("an sslmode that is set is never changed", arguments: ["disable", "allow", "prefer", "require", "verify-ca"])
    func mode(mode: String) {
        #expect(added(TLSOptions(host: "db.example.com", mode: mode)) == [:])
    }

    @Test("root certificates that are set are not replaced, and are set only for sslmode=verify-full")
    func rootCertificates() {
        let remote = TLSOptions(host: "db.example.com")
        #expect(added(TLSOptions(host: "db.example.com", roots: "/own.crt")) == ["sslmode": "verify-full"])
        #expect(added(TLSOptions(host: "db.example.com", mode: "verify-full")) == ["sslrootcert": roots])
        #expect(added(TLSOptions(host: "db.example.com", mode: "verify-full", roots: "/own.crt")) == [:])
        #expect(remote.defaults { nil } == ["sslmode": "verify-full"])
    }

    @Test("the system's root certificates are a file for libpq 15, `system` for libpq 16, and never replace root.crt")
    func systemRoots() {
        let file = "/etc/ssl/certs/ca-certificates.crt"
        let own = "/home/warren/.postgresql/root.crt"
        for (version, files, expected) in [
            (15_00_20, [file], file), (15_00_20, [], nil), (15_00_20, [file, own], nil),
            (16_00_00, [file], "system"), (17_00_05, [], "system"), (17_00_05, [own], nil),
        ] as [(Int32, [String], String?)] {
            let roots = TLSOptions.systemRoots(version: version, home: "/home/warren") { files.contains($0) }
            #expect(roots == expected, "libpq \(version) with \(files)")
        }
    }

    // MARK: Connection strings

    @Test(
        "the hosts, the sslmode and the root certificates are read from URLs and from strings of key words",
        arguments: [
            ("postgres://a:b@db.example.com:5433/c", TLSOptions(host: "db.example.com")),
            ("postgresql://a:b@[::1]/c", TLSOptions(host: "::1")),
            ("postgres://a@h:1,i:2/c?hostaddr=10.0.0.1,::1", TLSOptions(host: "h,i", hostAddress: "10.0.0.1,::1")),
            ("postgres://h/c?sslmode=disable", TLSOptions(host: "h", mode: "disable")),
            ("postgres://h/c?sslmode=prefer", TLSOptions(host: "h", mode: "prefer")),
            ("postgres://h/c?ssl=true", TLSOptions(host: "h", mode: "require")),
            ("postgres://h/c?sslrootcert=/own.crt", TLSOptions(host: "h", roots: "/own.crt")),
            ("postgres://%2Frun%2Fpostgresql/c", TLSOptions(host: "/run/postgresql")),
            ("host=h dbname=c target_session_attrs=any", TLSOptions(host: "h")),
            ("host=h dbname=c sslmode=prefer", TLSOptions(host: "h", mode: "prefer")),
            ("postgres:///c", TLSOptions()), ("dbname=c", TLSOptions()), ("c", TLSOptions()),
        ])
    func reads(string: String, options: TLSOptions) {
        #expect(ConnectionString(string).map(TLSOptions.init) == options)
    }

    @Test(
        "a connection string that libpq refuses has no options",
        arguments: ["postgres://[broken", "service=does_not_exist", "host=h nonsense=1"])
    func refused(string: String) {
        #expect(ConnectionString(string) == nil)
    }

    // MARK: Connections

    @Test("a server without a valid certificate is refused at an address other than loopback, unless sslmode is set")
    @Loop func connections() async throws {
        let url = try TestEnvironment.value("WARREN_TEST_DATABASE_URL")
        // Linux connects to this machine for the address 0.0.0.0, which is not a loopback address.
        let other = url.replacing("@127.0.0.1:", with: "@0.0.0.0:")
        try #require(other != url && !url.contains("?"))
        let error = await #expect(throws: PostgresError.self) {
            try await Migrator(url: other, log: DriverDatabase.log).migrate([])
        }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("sslmode is verify-full") == true, "\(error?.message ?? "")")
        try await DriverDatabase.withPool(other + "?sslmode=disable", size: 1) { pool async throws in
            #expect(try await pool.query(Statement("SELECT 1")).count == 1)
        }
        await #expect(throws: PostgresError.self) {
            try await DriverDatabase.withPool(other, size: 1) { _ = try await $0.query(Statement("SELECT 1")) }
        }
    }
}
