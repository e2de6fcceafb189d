import HTTPTypes
import Testing

@testable import Ingress

@Suite("Client addresses behind trusted proxies")
struct TrustedProxiesTests {
    /// A request's peer and forwarding fields, and the client address that they yield.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var peer = "10.0.0.1"
        var forwardedFor: [String] = []
        var forwarded: [String] = []
        let client: String

        init(
            _ description: String, peer: String = "10.0.0.1", for list: [String] = [], _ elements: [String] = [],
            is client: String
        ) {
            testDescription = description
            (self.peer, forwardedFor, forwarded, self.client) = (peer, list, elements, client)
        }
    }

    private let proxies: TrustedProxies

    init() throws {
        proxies = TrustedProxies(try ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"].map { try IPNetwork($0) })
    }

    private func peer(_ text: String) throws -> ClientAddress {
        let address: IPAddress = try #require(IPAddress(text))
        return ClientAddress(address)
    }

    private func client(_ row: Row, _ proxies: TrustedProxies? = nil) throws -> ClientAddress {
        var fields = HTTPFields()
        for (name, values) in [("X-Forwarded-For", row.forwardedFor), ("Forwarded", row.forwarded)] {
            for value in values { fields.append(HTTPField(name: .constant(name), value: value)) }
        }
        let peer = try peer(row.peer)
        return (proxies ?? self.proxies).client(behind: peer, RequestFields(fields))
    }

    private static let believed = [
        Row("a trusted proxy is believed", for: ["203.0.113.9"], is: "203.0.113.9"),
        Row("a trusted IPv6 proxy is believed", peer: "2001:db8::1", for: ["2001:470::1"], is: "2001:470::1"),
        Row(
            "a trusted IPv4 proxy is believed at its IPv4-mapped address", peer: "::ffff:10.0.0.1",
            for: ["203.0.113.9"], is: "203.0.113.9"),
        Row("a proxy can be trusted by a single address", peer: "192.0.2.7", for: ["203.0.113.9"], is: "203.0.113.9"),
        Row(
            "the rightmost address that is not a proxy is the client", for: ["1.1.1.1, 203.0.113.9, 10.2.3.4"],
            is: "203.0.113.9"),
        Row(
            "several X-Forwarded-For fields form one list", for: ["1.1.1.1", "203.0.113.9", "10.2.3.4"],
            is: "203.0.113.9"),
        Row("if all addresses are proxies, the leftmost is the client", for: ["10.3.3.3, 10.2.2.2"], is: "10.3.3.3"),
        Row("a port is ignored", for: ["203.0.113.9:1234"], is: "203.0.113.9"),
        Row("brackets and a port of an IPv6 address are ignored", for: ["[2001:470::1]:443"], is: "2001:470::1"),
        Row("white space around an address is ignored", for: ["1.1.1.1 ,\t203.0.113.9 "], is: "203.0.113.9"),
        Row("Forwarded is parsed", ["for=203.0.113.9;proto=https;by=10.0.0.1"], is: "203.0.113.9"),
        Row(
            "parameter names of Forwarded are case-insensitive", ["proto=http; FOR=\"203.0.113.9:80\""],
            is: "203.0.113.9"),
        Row(
            "a quoted IPv6 address in Forwarded is parsed", ["for=1.1.1.1, for=\"[2001:470::1]:47011\""],
            is: "2001:470::1"),
        Row("a comma inside quotes is not a separator", ["for=203.0.113.9;a=\"x, for=1.1.1.1\""], is: "203.0.113.9"),
        Row(
            "two fields that name the same client are believed", for: ["203.0.113.9"], ["for=\"203.0.113.9:99\""],
            is: "203.0.113.9"),
    ]

    @Test("the client that a trusted proxy names is believed", arguments: believed)
    func isBelieved(row: Row) throws {
        #expect(try client(row) == peer(row.client))
    }

    private static let unbelieved = [
        Row("without forwarding fields the peer is the client", is: "10.0.0.1"),
        Row(
            "X-Forwarded-For from an untrusted peer is ignored", peer: "203.0.113.9", for: ["1.1.1.1"],
            is: "203.0.113.9"),
        Row("Forwarded from an untrusted peer is ignored", peer: "203.0.113.9", ["for=1.1.1.1"], is: "203.0.113.9"),
        Row("a host name is ignored", for: ["localhost"], is: "10.0.0.1"),
        Row(
            "addresses left of an invalid one are ignored", for: ["203.0.113.9, evil, 10.2.2.2"], is: "10.2.2.2"),
        Row("for a client named unknown, the proxy is the client", ["for=unknown"], is: "10.0.0.1"),
        Row("for an obfuscated client, the proxy is the client", ["for=_hidden, for=_SEVKISEK"], is: "10.0.0.1"),
        Row("an address with a zone is ignored", for: ["fe80::1%eth0"], is: "10.0.0.1"),
        Row("an empty list element is ignored", for: ["203.0.113.9,"], is: "10.0.0.1"),
        Row("an octal address is ignored", for: ["0313.0.113.9"], is: "10.0.0.1"),
        Row("an address of two numbers is ignored", for: ["203.113"], is: "10.0.0.1"),
        Row("an address with an invalid port is ignored", for: ["203.0.113.9:x"], is: "10.0.0.1"),
        Row("an address with a port of six digits is ignored", for: ["203.0.113.9:123456"], is: "10.0.0.1"),
        Row("an IPv4 address in brackets is ignored", for: ["[203.0.113.9]"], is: "10.0.0.1"),
        Row("an address with an unclosed bracket is ignored", for: ["[2001:470::1"], is: "10.0.0.1"),
        Row("an unclosed quote is ignored", ["for=\"203.0.113.9"], is: "10.0.0.1"),
        Row("an element with two addresses is ignored", ["for=203.0.113.9;for=1.1.1.1"], is: "10.0.0.1"),
        Row(
            "two fields with different clients are ignored", for: ["203.0.113.9"], ["for=1.1.1.1"], is: "10.0.0.1"),
        Row("garbage is ignored", for: ["\u{1F407}\"';--%00", String(repeating: ",", count: 5000)], is: "10.0.0.1"),
    ]

    @Test("a client that is not named by a trusted proxy and a valid field is ignored", arguments: unbelieved)
    func isNotBelieved(row: Row) throws {
        #expect(try client(row) == peer(row.client))
    }

    @Test("without configured proxies the forwarding fields are ignored", arguments: believed)
    func closed(row: Row) throws {
        #expect(try client(row, TrustedProxies()) == peer(row.peer))
    }

    @Test(
        "a malformed network is refused",
        arguments: [
            "", "/", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/8/8", "x",
            "10.0.0.0/+8",
            "10.0.0.0/ 8", "::1%lo/128", "*",
        ])
    func malformed(text: String) {
        #expect(throws: IPNetwork.ParseError.self) { try IPNetwork(text) }
    }

    @Test(
        "a network contains the addresses with its prefix",
        arguments: [
            ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "9.9.9.9", true),
            ("0.0.0.0/0", "::1", false), ("::/0", "2001::1", true), ("::/0", "1.2.3.4", false),
            ("192.0.2.1/32", "192.0.2.1", true), ("192.0.2.1/32", "192.0.2.2", false), ("::1", "::1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
        ])
    func networks(network: String, address: String, isInside: Bool) throws {
        let address: IPAddress = try #require(IPAddress(address))
        #expect(try IPNetwork(network).contains(address) == isInside)
    }
}
