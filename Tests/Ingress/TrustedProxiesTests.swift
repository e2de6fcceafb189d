import NIOHTTP1
import Reactor
import Testing

@testable import Ingress

@Suite("Client addresses behind trusted proxies")
struct TrustedProxiesTests {
    /// The peer and the forwarding fields of a request, and the client address that they yield.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var peer = "10.0.0.1"
        var xForwardedFor: [String] = []
        var forwarded: [String] = []
        let client: String

        init(
            _ description: String, peer: String = "10.0.0.1", xForwardedFor: [String] = [], forwarded: [String] = [],
            is client: String
        ) {
            testDescription = description
            (self.peer, self.xForwardedFor, self.forwarded, self.client) = (peer, xForwardedFor, forwarded, client)
        }
    }

    private let proxies: TrustedProxies

    init() throws {
        proxies = TrustedProxies(try ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"].map { try IPNetwork($0) })
    }

    private func address(_ text: String) throws -> ClientAddress {
        let address: IPAddress = try #require(IPAddress(text))
        return ClientAddress(address)
    }

    private func client(_ row: Row, _ proxies: TrustedProxies? = nil) throws -> ClientAddress {
        var fields = HTTPHeaders()
        for (name, values) in [("X-Forwarded-For", row.xForwardedFor), ("Forwarded", row.forwarded)] {
            for value in values { fields.add(name: name, value: value) }
        }
        let peer = try address(row.peer)
        return (proxies ?? self.proxies).client(behind: peer, RequestFields(fields))
    }

    private static let accepted = [
        Row("the client that a trusted proxy names is accepted", xForwardedFor: ["203.0.113.9"], is: "203.0.113.9"),
        Row(
            "a trusted proxy can have an IPv6 address", peer: "2001:db8::1", xForwardedFor: ["2001:470::1"],
            is: "2001:470::1"),
        Row(
            "a trusted IPv4 proxy can connect from its IPv4-mapped address", peer: "::ffff:10.0.0.1",
            xForwardedFor: ["203.0.113.9"], is: "203.0.113.9"),
        Row(
            "a trusted proxy can be configured as a single address", peer: "192.0.2.7", xForwardedFor: ["203.0.113.9"],
            is: "203.0.113.9"),
        Row(
            "the rightmost address that is not a proxy is the client",
            xForwardedFor: ["1.1.1.1, 203.0.113.9, 10.2.3.4"],
            is: "203.0.113.9"),
        Row(
            "several X-Forwarded-For fields form one list", xForwardedFor: ["1.1.1.1", "203.0.113.9", "10.2.3.4"],
            is: "203.0.113.9"),
        Row(
            "if all addresses are proxies, the leftmost is the client", xForwardedFor: ["10.3.3.3, 10.2.2.2"],
            is: "10.3.3.3"),
        Row("a port is ignored", xForwardedFor: ["203.0.113.9:1234"], is: "203.0.113.9"),
        Row(
            "brackets around an IPv6 address and its port are ignored", xForwardedFor: ["[2001:470::1]:443"],
            is: "2001:470::1"),
        Row("white space around an address is ignored", xForwardedFor: ["1.1.1.1 ,\t203.0.113.9 "], is: "203.0.113.9"),
        Row("Forwarded is parsed", forwarded: ["for=203.0.113.9;proto=https;by=10.0.0.1"], is: "203.0.113.9"),
        Row(
            "parameter names of Forwarded are case-insensitive", forwarded: ["proto=http; FOR=\"203.0.113.9:80\""],
            is: "203.0.113.9"),
        Row(
            "a quoted IPv6 address in Forwarded is parsed", forwarded: ["for=1.1.1.1, for=\"[2001:470::1]:47011\""],
            is: "2001:470::1"),
        Row(
            "a comma inside quotes is not a separator", forwarded: ["for=203.0.113.9;a=\"x, for=1.1.1.1\""],
            is: "203.0.113.9"),
        Row(
            "two fields that name the same client are accepted", xForwardedFor: ["203.0.113.9"],
            forwarded: ["for=\"203.0.113.9:99\""],
            is: "203.0.113.9"),
    ]

    @Test("the client that a trusted proxy names in a forwarding field is accepted", arguments: accepted)
    func isAccepted(row: Row) throws {
        #expect(try client(row) == address(row.client))
    }

    private static let ignored = [
        Row("without forwarding fields the peer is the client", is: "10.0.0.1"),
        Row(
            "X-Forwarded-For from an untrusted peer is ignored", peer: "203.0.113.9", xForwardedFor: ["1.1.1.1"],
            is: "203.0.113.9"),
        Row(
            "Forwarded from an untrusted peer is ignored", peer: "203.0.113.9", forwarded: ["for=1.1.1.1"],
            is: "203.0.113.9"),
        Row("a host name is ignored", xForwardedFor: ["localhost"], is: "10.0.0.1"),
        Row(
            "addresses left of an invalid one are ignored", xForwardedFor: ["203.0.113.9, evil, 10.2.2.2"],
            is: "10.2.2.2"),
        Row("if Forwarded has for=unknown, the proxy is the client", forwarded: ["for=unknown"], is: "10.0.0.1"),
        Row(
            "if Forwarded has an obfuscated identifier, the proxy is the client",
            forwarded: ["for=_hidden, for=_SEVKISEK"],
            is: "10.0.0.1"),
        Row("an address with a zone is ignored", xForwardedFor: ["fe80::1%eth0"], is: "10.0.0.1"),
        Row("addresses left of an empty list element are ignored", xForwardedFor: ["203.0.113.9,"], is: "10.0.0.1"),
        Row("an octal address is ignored", xForwardedFor: ["0313.0.113.9"], is: "10.0.0.1"),
        Row("an address of two numbers is ignored", xForwardedFor: ["203.113"], is: "10.0.0.1"),
        Row("an address with an invalid port is ignored", xForwardedFor: ["203.0.113.9:x"], is: "10.0.0.1"),
        Row("an address with a port of six digits is ignored", xForwardedFor: ["203.0.113.9:123456"], is: "10.0.0.1"),
        Row("an IPv4 address in brackets is ignored", xForwardedFor: ["[203.0.113.9]"], is: "10.0.0.1"),
        Row("an address with an unclosed bracket is ignored", xForwardedFor: ["[2001:470::1"], is: "10.0.0.1"),
        Row("a field with an unclosed quote is ignored", forwarded: ["for=\"203.0.113.9"], is: "10.0.0.1"),
        Row(
            "a Forwarded element with two addresses is ignored", forwarded: ["for=203.0.113.9;for=1.1.1.1"],
            is: "10.0.0.1"),
        Row(
            "two fields with different clients are ignored", xForwardedFor: ["203.0.113.9"], forwarded: ["for=1.1.1.1"],
            is: "10.0.0.1"),
        Row(
            "meaningless text is ignored", xForwardedFor: ["\u{1F407}\"';--%00", String(repeating: ",", count: 5000)],
            is: "10.0.0.1"),
    ]

    @Test(
        "addresses that an untrusted peer sends, that are invalid, or that are left of an invalid element are ignored",
        arguments: ignored)
    func isIgnored(row: Row) throws {
        #expect(try client(row) == address(row.client))
    }

    @Test("without configured proxies the forwarding fields are ignored", arguments: accepted)
    func closed(row: Row) throws {
        #expect(try client(row, TrustedProxies()) == address(row.peer))
    }

    @Test(
        "a malformed network in CIDR notation is refused",
        arguments: [
            "", "/", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/8/8", "x",
            "10.0.0.0/+8",
            "10.0.0.0/ 8", "::1%lo/128", "*",
        ])
    func malformed(text: String) {
        #expect(throws: ParseError.self) { try IPNetwork(text) }
    }

    @Test(
        "a network contains exactly the addresses with its prefix; an IPv4-mapped address counts as its IPv4 address",
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
