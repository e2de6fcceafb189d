internal import FoundationEssentials

/// Where a Redis server is and how to log in to it.
package struct RedisAddress: Sendable {
    /// The server's name or numeric address; an IPv6 address without its brackets.
    package let host: String
    /// The server's port, 6379 unless given.
    package let port: Int
    /// The user to log in as; nil for the default user.
    package let user: String?
    /// The password; nil where the server wants none.
    package let password: String?
    /// The number of the database, 0 unless given.
    package let database: Int

    /// Reads an address like `redis://user:password@host:port/database`.
    ///
    /// - Parameter url: user, password, port and database may be left out; what is reserved is percent-encoded.
    /// - Throws: ``RedisError`` with the code `address`, which never repeats the URL, since that holds the password.
    package init(url: String) throws(RedisError) {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased() else {
            throw RedisError(.address, "the Redis address is not a URL")
        }
        guard scheme != "rediss" else {
            throw RedisError(.address, "rediss:// asks for TLS, which hiredis 0.14 does not have; use redis://")
        }
        guard scheme == "redis" else { throw RedisError(.address, "the scheme of the Redis address is not redis://") }
        guard var host = parts.host, !host.isEmpty else { throw RedisError(.address, "the Redis address has no host") }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        let port = parts.port ?? 6379
        guard (1...65535).contains(port) else {
            throw RedisError(.address, "the port of the Redis address is not within 1 to 65535")
        }
        let path = parts.path.drop { $0 == "/" }
        guard let database = path.isEmpty ? 0 : Int(path), database >= 0 else {
            throw RedisError(.address, "the path of the Redis address is not the number of a database")
        }
        guard parts.query == nil, parts.fragment == nil else {
            throw RedisError(.address, "the Redis address has a query or a fragment, which means nothing here")
        }
        self.host = host
        self.port = port
        self.database = database
        user = parts.user.flatMap { $0.isEmpty ? nil : $0 }
        password = parts.password.flatMap { $0.isEmpty ? nil : $0 }
        guard user == nil || password != nil else {
            throw RedisError(.address, "the Redis address has a user without a password")
        }
    }
}
