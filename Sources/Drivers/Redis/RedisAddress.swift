internal import FoundationEssentials

/// The address of a Redis server and the login for it.
package struct RedisAddress: Sendable {
    /// The host name or IP address. An IPv6 address has no brackets.
    package let host: String
    /// The port, by default 6379.
    package let port: Int
    /// The user name; `nil` means the default user.
    package let user: String?
    /// The password; `nil` means no login.
    package let password: String?
    /// The number of the database, by default 0.
    package let database: Int

    /// Parses a URL of the form `redis://user:password@host:port/database`.
    ///
    /// - Parameter url: the URL. User, password, port and database are optional; reserved characters must be
    ///   percent-encoded.
    /// - Throws: ``RedisError`` with the code `address`. Its message does not repeat the URL, because the URL
    ///   contains the password.
    package init(url: String) throws(RedisError) {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased() else {
            throw RedisError(.address, "the URL must have the form redis://user:password@host:port/database")
        }
        guard scheme != "rediss" else {
            throw RedisError(
                .address, "TLS (rediss://) is not supported; use redis://")
        }
        guard scheme == "redis" else { throw RedisError(.address, "the scheme must be redis") }
        guard var host = parts.host, !host.isEmpty else { throw RedisError(.address, "the URL must contain a host") }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        let port = parts.port ?? 6379
        guard (1...65535).contains(port) else {
            throw RedisError(.address, "the port must be a number from 1 to 65535")
        }
        let path = parts.path.drop { $0 == "/" }
        guard let database = path.isEmpty ? 0 : Int(path), database >= 0 else {
            throw RedisError(.address, "the path must be the number of a database")
        }
        guard parts.query == nil, parts.fragment == nil else {
            throw RedisError(.address, "a query or a fragment is not allowed")
        }
        self.host = host
        self.port = port
        self.database = database
        user = parts.user.flatMap { $0.isEmpty ? nil : $0 }
        password = parts.password.flatMap { $0.isEmpty ? nil : $0 }
        guard user == nil || password != nil else {
            throw RedisError(.address, "a user name requires a password")
        }
    }
}
