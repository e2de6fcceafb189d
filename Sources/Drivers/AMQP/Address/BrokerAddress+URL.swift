internal import ASCII

extension BrokerAddress {
    /// Parses an AMQP URI: `amqp://user:password@host:port/vhost?heartbeat=…&cacertfile=…&verify=…`, or `amqps://`.
    ///
    /// User, password, host name, virtual host and parameter values are percent-decoded; a host in brackets is not. A
    /// missing or empty virtual host means `/`. `verify` is `verify_peer` or `verify_none`.
    ///
    /// Source: RabbitMQ, "URI Specification" and "URI Query Parameters".
    ///
    /// - Throws: ``AMQPError`` with the code `address`. Its message does not repeat the URI, because the URI contains
    ///   the password.
    package init(url: String) throws(AMQPError) {
        let (scheme, afterScheme) = try Self.scheme(of: url)
        let (beforeQuery, query) = Self.split(afterScheme, at: "?")
        let (authority, path) = Self.split(beforeQuery, at: "/")
        self.init(host: "", port: scheme == "amqps" ? 5671 : 5672, isTLS: scheme == "amqps")

        var hostPart = authority
        if let at = authority.lastIndex(of: "@") {
            let (name, secret) = Self.split(authority[..<at], at: ":")
            user = try Self.decode(name, "the user")
            if let secret { password = try Self.decode(secret, "the password") }
            hostPart = authority[authority.index(after: at)...]
        }
        try readHost(hostPart)
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

    private mutating func readHost(_ text: Substring) throws(AMQPError) {
        var portPart: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else {
                throw AMQPError(.address, "the [ of the host must be closed by ]")
            }
            host = String(text[text.index(after: text.startIndex)..<close])
            let rest = text[text.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else {
                throw AMQPError(.address, "only a port may follow the ] of the host")
            }
            portPart = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            let (name, number) = Self.split(text, at: ":")
            host = try Self.decode(name, "the host")
            portPart = number
        }
        guard !host.isEmpty else { throw AMQPError(.address, "the URL must contain a host") }
        guard let portPart, !portPart.isEmpty else { return }
        guard let number = UInt16(portPart), number > 0 else {
            throw AMQPError(.address, "the port must be a number from 1 to 65535")
        }
        port = Int(number)
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
