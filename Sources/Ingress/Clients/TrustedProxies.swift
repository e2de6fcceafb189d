/// The proxies whose word is taken on who the client behind them is; no one's, until some are configured.
struct TrustedProxies: Sendable, Hashable {
    private let networks: [IPNetwork]

    init(_ networks: [IPNetwork] = []) {
        self.networks = networks
    }

    /// Finds the client of a request.
    ///
    /// Each proxy adds at the right whom it has the request from. Read from there, the first address that is no trusted
    /// proxy's is the client; what stands left of it the client may have made up. Where a proxy tells no address, or two
    /// fields tell two different ones, the last proxy that is known counts in place of the client.
    ///
    /// - Parameters:
    ///   - peer: the other end of the connection.
    ///   - fields: the request's, with `X-Forwarded-For` and `Forwarded` (RFC 7239).
    func client(behind peer: Peer, _ fields: RequestFields) -> Peer {
        guard !networks.isEmpty, let proxy = peer.address, trusts(proxy) else { return peer }
        let clients = [fields.forwardedFor.map(ForwardedFor.hops), fields.forwarded.map(Forwarded.hops)].compactMap {
            $0.map { walk(from: proxy, $0) }
        }
        guard let client = clients.first, clients.allSatisfy({ $0 == client }) else { return peer }
        return Peer(client)
    }

    private func trusts(_ address: IPAddress) -> Bool {
        networks.contains { $0.contains(address) }
    }

    /// - Parameter hops: the last one first; nothing for a hop that tells no address.
    private func walk(from proxy: IPAddress, _ hops: [IPAddress?]) -> IPAddress {
        var client = proxy
        for hop in hops {
            guard trusts(client), let hop else { break }
            client = hop
        }
        return client
    }
}

/// The `X-Forwarded-For` field: addresses, the client's first.
enum ForwardedFor {
    /// The addresses, the last one first; nothing in the place of what is no address.
    static func hops(_ field: String) -> [IPAddress?] {
        field.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).reversed().map { part in
            ForwardedNode.address(FieldText.trimmed(Substring(part)))
        }
    }
}

/// The `Forwarded` field (RFC 7239).
enum Forwarded {
    /// The addresses of its `for` parameters, the last one first; nothing in the place of what is no address.
    static func hops(_ field: String) -> [IPAddress?] {
        guard let elements = FieldText.split(field[...], at: UInt8(ascii: ",")) else { return [nil] }
        return elements.reversed().map { element in
            let pairs = FieldText.split(element, at: UInt8(ascii: ";"))?.map(FieldText.pair) ?? []
            let nodes = pairs.filter { $0.name == "for" }
            return nodes.count == 1 ? ForwardedNode.address(nodes[0].value[...]) : nil
        }
    }
}

/// A node as proxies write it: an address, in brackets where it is one of IPv6, and perhaps a port (RFC 7239, section 6).
enum ForwardedNode {
    /// The address; nothing where it is `unknown`, a made-up name, or anything else.
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

    /// Nothing, or a colon and a number of up to five digits.
    private static func isPort(_ text: Substring.UTF8View) -> Bool {
        guard let first = text.first else { return true }
        let digits = text.dropFirst()
        return first == UInt8(ascii: ":") && (1...5).contains(digits.count)
            && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
