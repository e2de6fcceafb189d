internal import Glibc

/// One address of a database server. libpq tries several hosts and addresses one after the other without a time limit
/// for each of them (`connect_timeout` applies only to blocking calls), so the driver makes one attempt per address.
struct ServerAddress: Sendable, Equatable {
    var host: String
    /// The IP address of the host; empty if libpq uses the host itself, which is the path of a socket or a name that
    /// could not be resolved.
    var hostAddress: String
    var port: String

    /// The options that limit libpq to this address.
    var options: [(String, String)] {
        [("host", host), ("hostaddr", hostAddress), ("port", port)].filter { !$0.1.isEmpty }
    }
}

extension ServerAddress {
    /// Returns the addresses of all hosts, in the order in which they are tried. Resolves host names, so it can block.
    ///
    /// - Parameters:
    ///   - hosts, addresses, ports: the options `host`, `hostaddr` and `port`, which are lists separated by commas.
    ///   - resolve: returns the IP addresses of a host name; none if the name cannot be resolved.
    /// - Returns: an empty array if the lists differ in length, which libpq refuses.
    static func all(
        hosts: String, addresses: String, ports: String, resolve: (String) -> [String] = ServerAddress.resolve
    ) -> [ServerAddress] {
        let (hosts, addresses, ports) = (elements(hosts), elements(addresses), elements(ports))
        let count = max(hosts.count, addresses.count)
        // A list without elements is not set.
        guard [0, count].contains(hosts.count), [0, count].contains(addresses.count),
            [0, 1, count].contains(ports.count)
        else { return [] }
        func element(_ list: [String], _ index: Int) -> String { index < list.count ? list[index] : list.last ?? "" }
        return (0..<max(count, 1)).flatMap { index in
            let server = ServerAddress(
                host: element(hosts, index), hostAddress: element(addresses, index), port: element(ports, index))
            guard server.hostAddress.isEmpty, !server.isSocket else { return [server] }
            // getaddrinfo(3) also accepts IP addresses.
            let found = resolve(server.host)
            return found.isEmpty
                ? [server] : found.map { ServerAddress(host: server.host, hostAddress: $0, port: server.port) }
        }
    }

    /// Whether the host is a Unix socket: a path, an abstract socket, or empty for libpq's default.
    private var isSocket: Bool { host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") }

    private static func elements(_ list: String) -> [String] {
        list.isEmpty ? [] : list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// Resolves a host name with getaddrinfo(3).
    private static func resolve(_ host: String) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var entry = list
        while let current = entry?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let code = getnameinfo(
                current.ai_addr, current.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            if code == 0 {
                let length = text.firstIndex(of: 0) ?? text.count
                addresses.append(String(decoding: text[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            entry = current.ai_next
        }
        return addresses
    }
}
