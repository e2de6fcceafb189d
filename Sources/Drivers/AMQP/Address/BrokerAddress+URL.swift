extension BrokerAddress {
    /// A text that is no AMQP URI; says what is wrong and repeats neither the text nor its password.
    package struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        /// What is wrong.
        package let description: String
    }

    /// Reads `amqp://user:password@host:port/vhost?heartbeat=…&cacertfile=…&verify=…`, or `amqps://`.
    ///
    /// The parts are percent-decoded. Without a virtual host, or with an empty one, it is `/`. `verify` is
    /// `verify_peer` or `verify_none` (RabbitMQ's URI specification and its query parameters).
    ///
    /// - Throws: ``Malformed``.
    package init(url: String) throws(Malformed) {
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
                throw Malformed(description: "the virtual host has a slash that is not written %2F")
            }
            virtualHost = try Self.decode(path, "the virtual host")
        }
        for parameter in (query ?? "").split(separator: "&") { try read(parameter) }
    }

    private static func scheme(of url: String) throws(Malformed) -> (String, Substring) {
        guard let end = url.firstRange(of: "://") else {
            throw Malformed(description: "it does not begin with amqp:// or amqps://")
        }
        let scheme = url[..<end.lowerBound].lowercased()
        guard scheme == "amqp" || scheme == "amqps" else {
            throw Malformed(description: "its scheme is neither amqp nor amqps")
        }
        return (scheme, url[end.upperBound...])
    }

    private mutating func readHost(_ text: Substring) throws(Malformed) {
        var portPart: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else {
                throw Malformed(description: "the host's [ is not closed")
            }
            host = String(text[text.index(after: text.startIndex)..<close])
            let rest = text[text.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else {
                throw Malformed(description: "something other than a port follows the host")
            }
            portPart = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            let (name, number) = Self.split(text, at: ":")
            host = try Self.decode(name, "the host")
            portPart = number
        }
        guard !host.isEmpty else { throw Malformed(description: "it names no host") }
        guard let portPart, !portPart.isEmpty else { return }
        guard let number = UInt16(portPart), number > 0 else {
            throw Malformed(description: "its port is no port number")
        }
        port = Int(number)
    }

    private mutating func read(_ parameter: Substring) throws(Malformed) {
        let (name, rawValue) = Self.split(parameter, at: "=")
        let value = try Self.decode(rawValue ?? "", "a parameter")
        switch name {
        case "heartbeat":
            guard let seconds = UInt16(value) else { throw Malformed(description: "heartbeat is no number of seconds") }
            heartbeat = Int(seconds)
        case "cacertfile":
            guard !value.isEmpty else { throw Malformed(description: "cacertfile is empty") }
            caCertificateFile = value
        case "verify":
            guard value == "verify_peer" || value == "verify_none" else {
                throw Malformed(description: "verify is neither verify_peer nor verify_none")
            }
            verifiesPeer = value == "verify_peer"
        default:
            throw Malformed(description: "it has a parameter that is none of heartbeat, cacertfile, verify")
        }
    }

    private static func split(_ text: Substring, at separator: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: separator) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }

    /// Decodes %XX; zero bytes are refused, since the login is made of C strings.
    private static func decode(_ text: Substring, _ what: String) throws(Malformed) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(Self.hex), let low = rest.next().flatMap(Self.hex) else {
                throw Malformed(description: "\(what) has a % that no two hexadecimal digits follow")
            }
            bytes.append(high << 4 | low)
        }
        guard !bytes.contains(0), let decoded = String(validating: bytes, as: UTF8.self) else {
            throw Malformed(description: "\(what) is not text")
        }
        return decoded
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
