internal import ASCII

extension BrokerAddress {
    /// Parses an AMQP URI: `amqp://user:password@host:port/vhost?heartbeat=…&cacertfile=…&verify=…`, or `amqps://`.
    ///
    /// For a cluster, the URI has the hosts of all nodes, separated by commas, as in a URI of libpq:
    /// `amqp://user:password@host1:port1,host2:port2/vhost`. A host without a port gets the default port.
    ///
    /// User, password, host names, virtual host and parameter values are percent-decoded; a host in brackets is not. A
    /// missing or empty virtual host means `/`. `verify` is `verify_peer` or `verify_none`.
    ///
    /// Source: RabbitMQ, "URI Specification" and "URI Query Parameters", which know only one host.
    ///
    /// - Throws: ``AMQPError`` with the code `address`. Its message does not repeat the URI, because the URI contains
    ///   the password.
    package init(url: String) throws(AMQPError) {
        let (scheme, afterScheme) = try Self.scheme(of: url)
        let (beforeQuery, query) = Self.split(afterScheme, at: "?")
        let (authority, path) = Self.split(beforeQuery, at: "/")
        self.init(host: "", isTLS: scheme == "amqps")

        var hostPart = authority
        if let at = authority.lastIndex(of: "@") {
            let (name, secret) = Self.split(authority[..<at], at: ":")
            user = try Self.decode(name, "the user")
            if let secret { password = try Self.decode(secret, "the password") }
            hostPart = authority[authority.index(after: at)...]
        }
        hosts = try Self.hosts(in: hostPart, defaultPort: isTLS ? 5671 : 5672)
        if let path, !path.isEmpty {
            guard !path.contains("/") else {
                throw AMQPError(.address, "a slash in the virtual host must be written as %2F")
            }
            virtualHost = try Self.decode(path, "the virtual host")
        }
        for parameter in (query ?? "").split(separator: "&") { try read(parameter) }
    }

    private static func scheme(of url: String) throws(AMQPError) -> (String, Substring) {
        guard let separator = url.firstRange(of: "://") else {
            throw AMQPError(.address, "the URL must begin with amqp:// or amqps://")
        }
        let scheme = url[..<separator.lowerBound].lowercased()
        guard scheme == "amqp" || scheme == "amqps" else {
            throw AMQPError(.address, "the scheme must be amqp or amqps")
        }
        return (scheme, url[separator.upperBound...])
    }

    private static func hosts(in list: Substring, defaultPort: Int) throws(AMQPError) -> [Host] {
        guard !list.isEmpty else { throw AMQPError(.address, "the URL must contain a host") }
        var hosts: [Host] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let host = try host(in: part, defaultPort: defaultPort)
            guard !hosts.contains(host) else {
                throw AMQPError(.address, "the URL must not contain a host with the same port twice")
            }
            hosts.append(host)
        }
        return hosts
    }

    private static func host(in text: Substring, defaultPort: Int) throws(AMQPError) -> Host {
        var host = Host("", port: defaultPort)
        var portPart: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else {
                throw AMQPError(.address, "the [ of a host must be closed by ]")
            }
            host.name = String(text[text.index(after: text.startIndex)..<close])
            let rest = text[text.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else {
                throw AMQPError(.address, "only a port may follow the ] of a host")
            }
            portPart = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            let (name, number) = split(text, at: ":")
            host.name = try decode(name, "the host")
            portPart = number
        }
        guard !host.name.isEmpty else { throw AMQPError(.address, "the name of a host must not be empty") }
        guard let portPart, !portPart.isEmpty else { return host }
        guard let number = UInt16(portPart), number > 0 else {
            throw AMQPError(.address, "the port must be a number from 1 to 65535")
        }
        host.port = Int(number)
        return host
    }

    private mutating func read(_ parameter: Substring) throws(AMQPError) {
        let (name, rawValue) = Self.split(parameter, at: "=")
        let value = try Self.decode(rawValue ?? "", "a parameter")
        switch name {
        case "heartbeat":
            guard let seconds = UInt16(value) else {
                throw AMQPError(.address, "heartbeat must be a number of seconds from 0 to 65535")
            }
            heartbeat = Int(seconds)
        case "cacertfile":
            guard !value.isEmpty else { throw AMQPError(.address, "cacertfile must not be empty") }
            caCertificateFile = value
        case "verify":
            guard value == "verify_peer" || value == "verify_none" else {
                throw AMQPError(.address, "verify must be verify_peer or verify_none")
            }
            verifiesPeer = value == "verify_peer"
        default:
            throw AMQPError(.address, "the allowed parameters are heartbeat, cacertfile and verify")
        }
    }

    private static func split(_ text: Substring, at separator: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: separator) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    /// Decodes percent-encoding. Zero bytes are refused, because rabbitmq-c takes these texts as C strings.
    private static func decode(_ text: Substring, _ part: String) throws(AMQPError) -> String {
        guard let decoded = PercentEncoding.decode(text.utf8), !decoded.utf8.contains(0) else {
            throw AMQPError(.address, "\(part) must be percent-encoded UTF-8 text without zero bytes")
        }
        return decoded
    }
}
