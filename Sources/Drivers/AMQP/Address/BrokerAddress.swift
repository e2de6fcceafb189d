/// The address of a broker and the login for it.
package struct BrokerAddress: Sendable, Equatable {
    /// The host name or IP address. An IPv6 address has no brackets.
    package var host: String
    /// The TCP port.
    package var port: Int
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

    /// Makes an address from its parts.
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

    /// The default heartbeat interval in seconds.
    package static let defaultHeartbeat = 15
}

extension BrokerAddress: CustomStringConvertible, CustomDebugStringConvertible {
    /// The address without the password, for logs.
    package var description: String {
        "\(isTLS ? "amqps" : "amqp")://\(user)@\(host):\(port) vhost \(virtualHost)"
    }

    package var debugDescription: String { description }
}
