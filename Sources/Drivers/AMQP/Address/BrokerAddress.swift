/// Where a broker is and how to log in, from an AMQP URI.
package struct BrokerAddress: Sendable, Equatable {
    /// A host name or an address; an IPv6 one without its brackets.
    package var host: String
    /// The TCP port.
    package var port: Int
    /// The user to log in as.
    package var user: String
    /// The user's password; it is in no description.
    package var password: String
    /// The virtual host.
    package var virtualHost: String
    /// Whether the connection is TLS.
    package var isTLS: Bool
    /// Seconds between heartbeats; the broker may ask for fewer. 0 turns them off.
    package var heartbeat: Int
    /// A PEM file of trusted certificates; without one the system's are trusted.
    package var caCertificateFile: String?
    /// Whether the broker's certificate and name are verified.
    package var verifiesPeer: Bool

    /// Makes an address of its parts.
    package init(
        host: String, port: Int = 5672, user: String = "guest", password: String = "guest", virtualHost: String = "/",
        isTLS: Bool = false, heartbeat: Int = BrokerAddress.defaultHeartbeat, caCertificateFile: String? = nil,
        verifiesPeer: Bool = true
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.virtualHost = virtualHost
        self.isTLS = isTLS
        self.heartbeat = heartbeat
        self.caCertificateFile = caCertificateFile
        self.verifiesPeer = verifiesPeer
    }

    /// Seconds between heartbeats where nothing else is asked for.
    package static let defaultHeartbeat = 15
}

extension BrokerAddress: CustomStringConvertible, CustomDebugStringConvertible {
    /// The address without the password, for logs.
    package var description: String {
        "\(isTLS ? "amqps" : "amqp")://\(user)@\(host):\(port) vhost \(virtualHost)"
    }

    package var debugDescription: String { description }
}
