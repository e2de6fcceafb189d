internal import CPostgres
internal import FoundationEssentials
internal import Glibc

/// The options of a connection that determine whether the server's certificate is verified.
///
/// libpq's own default, `sslmode=prefer`, verifies nothing and also connects without TLS. The driver therefore adds
/// ``defaults(roots:)`` to the options of each connection.
struct TLSOptions: Equatable {
    /// The hosts (`host`), separated by commas: names, addresses or paths of Unix sockets. An empty host is a Unix
    /// socket in libpq's default folder.
    var host = ""
    /// The addresses of the hosts (`hostaddr`), separated by commas. If a host has an address, libpq connects to the
    /// address, and compares the certificate with the host.
    var hostAddress = ""
    /// The `sslmode`; `nil` if only libpq's own default applies.
    var mode: String?
    /// The `sslrootcert`; `nil` if it is not set.
    var roots: String?

    /// Returns the options that the driver adds: `sslmode=verify-full` if no mode is set and a host is not on this
    /// machine, and `sslrootcert` if the mode is then `verify-full` and no root certificates are set.
    ///
    /// - Parameter roots: returns the value of `sslrootcert`; `nil` to set none.
    func defaults(roots defaultRoots: () -> String?) -> [String: String] {
        var added: [String: String] = [:]
        if mode == nil, !isLocal { added["sslmode"] = "verify-full" }
        if (mode ?? added["sslmode"]) == "verify-full", self.roots == nil, let roots = defaultRoots() {
            added["sslrootcert"] = roots
        }
        return added
    }

    /// Whether every host is certainly this machine. Names other than `localhost` are not resolved.
    private var isLocal: Bool {
        let hosts = host.split(separator: ",", omittingEmptySubsequences: false)
        let addresses = hostAddress.split(separator: ",", omittingEmptySubsequences: false)
        // If the two lists differ in length, libpq refuses them.
        return (0..<max(hosts.count, addresses.count)).allSatisfy { index in
            let address = index < addresses.count ? addresses[index] : ""
            return Self.isLocal(address.isEmpty && index < hosts.count ? hosts[index] : address)
        }
    }

    private static func isLocal(_ host: Substring) -> Bool {
        // A path, or an abstract Unix socket (libpq manual, "Parameter Key Words", host).
        if host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") { return true }
        let host = host.lowercased()
        if host == "localhost" { return true }
        // inet_pton accepts only complete addresses, in contrast to getaddrinfo. Other forms count as names.
        var ipv4 = in_addr()
        if inet_pton(AF_INET, host, &ipv4) == 1 { return UInt32(bigEndian: ipv4.s_addr) >> 24 == 127 }
        var ipv6 = in6_addr()
        guard inet_pton(AF_INET6, host, &ipv6) == 1 else { return false }
        return withUnsafeBytes(of: ipv6) { $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1 }
    }

    // MARK: Root certificates

    /// Returns the `sslrootcert` with which libpq trusts the certification authorities that this machine trusts.
    ///
    /// - Parameters:
    ///   - version: libpq's version (PQlibVersion). Before 160000, libpq does not know the value `system`, and needs a
    ///     file.
    ///   - home: the user's home folder. libpq by itself uses `~/.postgresql/root.crt` if this file exists.
    ///   - exists: whether a file exists.
    /// - Returns: `nil` if libpq uses the file in the home folder, or if no root certificates are found. In the latter
    ///   case, libpq refuses to connect.
    static func systemRoots(version: Int32, home: String, exists: (String) -> Bool) -> String? {
        if exists("\(home)/.postgresql/root.crt") { return nil }
        if version >= 16_00_00 { return "system" }
        // Of Debian and Alpine, of Fedora, and of SUSE.
        let files = [
            "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        ]
        return files.first(where: exists)
    }

    static func systemRoots() -> String? {
        // libpq prefers HOME to the home folder in the user database; Foundation ignores HOME.
        let home = getenv("HOME").map { String(cString: $0) } ?? ""
        return systemRoots(
            version: PQlibVersion(),
            home: home.isEmpty ? FileManager.default.homeDirectoryForCurrentUser.path : home,
            exists: { FileManager.default.fileExists(atPath: $0) })
    }
}

extension TLSOptions {
    /// Takes the options from a connection string.
    ///
    /// `sslmode=prefer` in a service file counts as not set, because libpq cannot distinguish it from its default.
    init(_ string: ConnectionString) {
        self.init(
            host: string.value(of: "host") ?? "", hostAddress: string.value(of: "hostaddr") ?? "",
            mode: string.isSet("sslmode", environmentVariable: "PGSSLMODE") ? string.value(of: "sslmode") : nil,
            roots: string.value(of: "sslrootcert"))
    }
}
