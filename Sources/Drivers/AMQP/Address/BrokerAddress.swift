/// The address of a broker, or of a cluster of brokers, and the login for it.
package struct BrokerAddress: Sendable, Equatable {
    /// A host on which a broker listens.
    package struct Host: Sendable, Hashable, CustomStringConvertible {
        /// The host name or IP address. An IPv6 address has no brackets.
        package var name: String
        /// The TCP port.
        package var port: Int

        /// Makes a host from its parts.
        package init(_ name: String, port: Int) {
            (self.name, self.port) = (name, port)
        }

        /// The name and the port, as in a URL.
        package var description: String { name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)" }
    }

    /// The nodes of the cluster, which are equivalent; a broker that is not in a cluster is one host. Each connection
    /// uses one of them (``hostsToTry(avoiding:)``).
    package var hosts: [Host]
    /// The user name.
    package var user: String
    /// The password. Descriptions do not contain it.
    package var password: String
    /// The virtual host.
    package var virtualHost: String
    /// Whether the connection uses TLS.
    package var isTLS: Bool
    /// The heartbeat interval in seconds; 0 means no heartbeats. The broker may negotiate a shorter interval.
    package var heartbeat: Int
    /// A PEM file with the trusted CA certificates; `nil` means the CA certificates of the system.
    package var caCertificateFile: String?
    /// Whether the broker's certificate and host name are verified.
    package var verifiesPeer: Bool

    /// Makes the address of one broker from its parts.
    package init(
        host: String, port: Int = 5672, user: String = "guest", password: String = "guest", virtualHost: String = "/",
        isTLS: Bool = false, heartbeat: Int = BrokerAddress.defaultHeartbeat, caCertificateFile: String? = nil,
        verifiesPeer: Bool = true
    ) {
        hosts = [Host(host, port: port)]
        self.user = user
        self.password = password
        self.virtualHost = virtualHost
        self.isTLS = isTLS
        self.heartbeat = heartbeat
        self.caCertificateFile = caCertificateFile
        self.verifiesPeer = verifiesPeer
    }

    /// The default heartbeat interval in seconds.
    package static let defaultHeartbeat = 15

    /// Returns the hosts in the order in which an attempt to connect tries them. The order is random, so that the
    /// connections of many processes spread over the nodes of a cluster.
    ///
    /// - Parameter last: the host of the last connection, which is tried last, because a node that has just lost a
    ///   connection may be dead or silent.
    func hostsToTry(avoiding last: Host?) -> [Host] {
        var random = SystemRandomNumberGenerator()
        return hostsToTry(avoiding: last, using: &random)
    }

    func hostsToTry(avoiding last: Host?, using random: inout some RandomNumberGenerator) -> [Host] {
        let shuffled = hosts.shuffled(using: &random)
        return shuffled.filter { $0 != last } + shuffled.filter { $0 == last }
    }
}

extension BrokerAddress: CustomStringConvertible, CustomDebugStringConvertible {
    /// The address without the password, for logs.
    package var description: String {
        let hosts = hosts.map(\.description).joined(separator: ",")
        return "\(isTLS ? "amqps" : "amqp")://\(user)@\(hosts) vhost \(virtualHost)"
    }

    package var debugDescription: String { description }
}
