internal import Reactor

/// One address of a database server. libpq tries several hosts and addresses one after the other without a time limit
/// for each of them (`connect_timeout` applies only to blocking calls), so the driver makes one attempt per address.
struct ServerAddress: Sendable, Hashable {
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
    /// Returns the hosts in the order in which they are tried. Host names are not resolved.
    ///
    /// - Parameters:
    ///   - hosts, addresses, ports: the options `host`, `hostaddr` and `port`, which are lists separated by commas.
    ///   - defaultPort: the port of a host for which the list has none.
    /// - Returns: an empty array if the lists differ in length, which libpq refuses.
    static func all(hosts: String, addresses: String, ports: String, defaultPort: String) -> [ServerAddress] {
        let (hosts, addresses, ports) = (elements(hosts), elements(addresses), elements(ports))
        let count = max(hosts.count, addresses.count)
        // A list without elements is not set.
        guard [0, count].contains(hosts.count), [0, count].contains(addresses.count),
            [0, 1, count].contains(ports.count)
        else { return [] }
        func element(_ list: [String], _ index: Int) -> String { index < list.count ? list[index] : list.last ?? "" }
        return (0..<max(count, 1)).map { index in
            let port = element(ports, index)
            return ServerAddress(
                host: element(hosts, index), hostAddress: element(addresses, index),
                port: port.isEmpty ? defaultPort : port)
        }
    }

    /// Returns the addresses of this host in the order in which they are tried. Blocks while it resolves a host name.
    ///
    /// - Parameter resolve: returns the IP addresses of a host name; none if the name cannot be resolved.
    func resolved(_ resolve: (String) -> [String]) -> [ServerAddress] {
        guard hostAddress.isEmpty, !isSocket else { return [self] }
        // getaddrinfo(3) also accepts IP addresses.
        let found = resolve(host)
        return found.isEmpty ? [self] : found.map { ServerAddress(host: host, hostAddress: $0, port: port) }
    }

    /// Whether the host is a Unix socket: a path, an abstract socket, or empty for libpq's default.
    private var isSocket: Bool { host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") }

    private static func elements(_ list: String) -> [String] {
        list.isEmpty ? [] : list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
}
