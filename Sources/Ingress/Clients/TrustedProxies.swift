internal import ASCII

/// The proxies whose `X-Forwarded-For` and `Forwarded` fields determine the client's address. By default there are no
/// trusted proxies.
struct TrustedProxies: Sendable, Hashable {
    private let networks: [IPNetwork]

    init(_ networks: [IPNetwork] = []) {
        self.networks = networks
    }

    /// Returns the address of the client that sent a request.
    ///
    /// Each proxy appends the address that it received the request from, so the list is read from the right. The
    /// first address that does not belong to a trusted proxy is the client. The addresses to the left of the client are
    /// ignored, because the client can forge them. If a trusted proxy appended an element that is not an IP address,
    /// the result is this proxy. If the two fields name different clients, the result is the peer.
    ///
    /// - Parameters:
    ///   - peer: the other end of the connection.
    ///   - fields: the request's fields, among them `X-Forwarded-For` and `Forwarded` (RFC 7239).
    func client(behind peer: ClientAddress, _ fields: RequestFields) -> ClientAddress {
        guard !networks.isEmpty, let proxy = peer.ip, trusts(proxy) else { return peer }
        let clients = [fields.forwardedFor.map(ForwardedFor.hops), fields.forwarded.map(Forwarded.hops)].compactMap {
            $0.map { firstUntrusted(from: proxy, $0) }
        }
        guard let client = clients.first, clients.allSatisfy({ $0 == client }) else { return peer }
        return ClientAddress(client)
    }

    func trusts(_ address: IPAddress) -> Bool {
        networks.contains { $0.contains(address) }
    }

    /// - Parameters:
    ///   - proxy: the address of the trusted peer.
    ///   - hops: the elements of the field from right to left; `nil` for an element that is not an address.
    private func firstUntrusted(from proxy: IPAddress, _ hops: [IPAddress?]) -> IPAddress {
        var client = proxy
        for hop in hops {
            guard trusts(client), let hop else { break }
            client = hop
        }
        return client
    }
}

/// The `X-Forwarded-For` field: a list of addresses, the client first.
enum ForwardedFor {
    /// Returns the addresses from right to left; an element that is not an address yields `nil`.
    static func hops(_ field: String) -> [IPAddress?] {
        field.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).reversed().map { part in
            ForwardedNode.address(Substring(part.trimmingBlanks))
        }
    }
}

/// The `Forwarded` field (RFC 7239).
enum Forwarded {
    /// Returns the addresses of the `for` parameters from right to left. An element yields `nil` if it does not have
    /// exactly one `for` parameter with an address.
    static func hops(_ field: String) -> [IPAddress?] {
        guard let elements = FieldText.split(field[...], at: UInt8(ascii: ",")) else { return [nil] }
        return elements.reversed().map { element in
            let pairs = FieldText.split(element, at: UInt8(ascii: ";"))?.map(FieldText.pair) ?? []
            let nodes = pairs.filter { $0.name == "for" }
            return nodes.count == 1 ? ForwardedNode.address(nodes[0].value[...]) : nil
        }
    }
}

/// A node in a forwarding field: an address with an optional port. An IPv6 address with a port is in brackets
/// (RFC 7239, section 6).
enum ForwardedNode {
    /// Returns the node's address; `nil` if the node is `unknown`, an obfuscated identifier or malformed.
    static func address(_ node: Substring) -> IPAddress? {
        let bytes = node.utf8
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")), isPort(bytes[bytes.index(after: end)...]) else {
                return nil
            }
            let inside = node[bytes.index(after: bytes.startIndex)..<end]
            return inside.utf8.contains(UInt8(ascii: ":")) ? IPAddress(inside) : nil
        }
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon == bytes.lastIndex(of: UInt8(ascii: ":"))
        else { return IPAddress(node) }
        return isPort(bytes[colon...]) ? IPAddress(node[..<colon]) : nil
    }

    /// Whether a text is empty, or a colon and one to five digits.
    private static func isPort(_ text: Substring.UTF8View) -> Bool {
        guard let first = text.first else { return true }
        let digits = text.dropFirst()
        return first == UInt8(ascii: ":") && (1...5).contains(digits.count)
            && digits.allSatisfy(\.isASCIIDigit)
    }
}
