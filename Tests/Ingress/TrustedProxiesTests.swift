import HTTPTypes
import Testing

@testable import Ingress

@Suite("Who the client is")
struct ClientAddressTests {
    /// What a request says of where it comes from.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var peer = "10.0.0.1"
        var forwardedFor: [String] = []
        var forwarded: [String] = []
        let client: String

        init(
            _ sentence: String, peer: String = "10.0.0.1", for list: [String] = [], _ elements: [String] = [],
            is client: String
        ) {
            testDescription = sentence
            (self.peer, forwardedFor, forwarded, self.client) = (peer, list, elements, client)
        }
    }

    private let proxies: TrustedProxies

    init() throws {
        proxies = TrustedProxies(try ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"].map { try IPNetwork($0) })
    }

    private func peer(_ text: String) throws -> Peer {
        let address: IPAddress = try #require(IPAddress(text))
        return Peer(address)
    }

    private func client(_ row: Row, _ proxies: TrustedProxies? = nil) throws -> Peer {
        var fields = HTTPFields()
        for (name, values) in [("X-Forwarded-For", row.forwardedFor), ("Forwarded", row.forwarded)] {
            for value in values { fields.append(HTTPField(name: .constant(name), value: value)) }
        }
        let peer = try peer(row.peer)
        return (proxies ?? self.proxies).client(behind: peer, RequestFields(fields))
    }

    private static let believed = [
        Row("a trusted proxy is believed", for: ["203.0.113.9"], is: "203.0.113.9"),
        Row("one of IPv6 too", peer: "2001:db8::1", for: ["2001:470::1"], is: "2001:470::1"),
        Row("one of IPv4 in IPv6 too", peer: "::ffff:10.0.0.1", for: ["203.0.113.9"], is: "203.0.113.9"),
        Row("a single address can be trusted", peer: "192.0.2.7", for: ["203.0.113.9"], is: "203.0.113.9"),
        Row(
            "the last that is no proxy counts, not what it made up", for: ["1.1.1.1, 203.0.113.9, 10.2.3.4"],
            is: "203.0.113.9"),
        Row("several fields are one list", for: ["1.1.1.1", "203.0.113.9", "10.2.3.4"], is: "203.0.113.9"),
        Row("where all are proxies the first one counts", for: ["10.3.3.3, 10.2.2.2"], is: "10.3.3.3"),
        Row("ports are no part of an address", for: ["203.0.113.9:1234"], is: "203.0.113.9"),
        Row("nor are brackets", for: ["[2001:470::1]:443"], is: "2001:470::1"),
        Row("white space does not count", for: ["1.1.1.1 ,\t203.0.113.9 "], is: "203.0.113.9"),
        Row("Forwarded is read", ["for=203.0.113.9;proto=https;by=10.0.0.1"], is: "203.0.113.9"),
        Row("whatever its letters' case", ["proto=http; FOR=\"203.0.113.9:80\""], is: "203.0.113.9"),
        Row("with IPv6 in quotes", ["for=1.1.1.1, for=\"[2001:470::1]:47011\""], is: "2001:470::1"),
        Row("a comma in quotes separates nothing", ["for=203.0.113.9;a=\"x, for=1.1.1.1\""], is: "203.0.113.9"),
        Row(
            "both fields may say the same", for: ["203.0.113.9"], ["for=\"203.0.113.9:99\""], is: "203.0.113.9"),
    ]

    @Test("what a trusted proxy adds is believed, from the right", arguments: believed)
    func isBelieved(row: Row) throws {
        #expect(try client(row) == peer(row.client))
    }

    private static let unbelieved = [
        Row("nothing is forwarded", is: "10.0.0.1"),
        Row("anyone else's word is nothing", peer: "203.0.113.9", for: ["1.1.1.1"], is: "203.0.113.9"),
        Row("nor is it as Forwarded", peer: "203.0.113.9", ["for=1.1.1.1"], is: "203.0.113.9"),
        Row("a name is no address", for: ["localhost"], is: "10.0.0.1"),
        Row("what is left of a name is not read", for: ["203.0.113.9, evil, 10.2.2.2"], is: "10.2.2.2"),
        Row("an unknown client is its proxy", ["for=unknown"], is: "10.0.0.1"),
        Row("so is a hidden one", ["for=_hidden, for=_SEVKISEK"], is: "10.0.0.1"),
        Row("zones are refused", for: ["fe80::1%eth0"], is: "10.0.0.1"),
        Row("empty parts are refused", for: ["203.0.113.9,"], is: "10.0.0.1"),
        Row("octal is refused", for: ["0313.0.113.9"], is: "10.0.0.1"),
        Row("fewer than four parts are refused", for: ["203.113"], is: "10.0.0.1"),
        Row("a bad port is refused", for: ["203.0.113.9:x"], is: "10.0.0.1"),
        Row("a port of six digits is refused", for: ["203.0.113.9:123456"], is: "10.0.0.1"),
        Row("IPv4 in brackets is refused", for: ["[203.0.113.9]"], is: "10.0.0.1"),
        Row("open brackets are refused", for: ["[2001:470::1"], is: "10.0.0.1"),
        Row("quotes without an end are refused", ["for=\"203.0.113.9"], is: "10.0.0.1"),
        Row("two addresses in one element are refused", ["for=203.0.113.9;for=1.1.1.1"], is: "10.0.0.1"),
        Row("two fields that disagree are both not believed", for: ["203.0.113.9"], ["for=1.1.1.1"], is: "10.0.0.1"),
        Row("garbage is harmless", for: ["\u{1F407}\"';--%00", String(repeating: ",", count: 5000)], is: "10.0.0.1"),
    ]

    @Test("nothing else is", arguments: unbelieved)
    func isNotBelieved(row: Row) throws {
        #expect(try client(row) == peer(row.client))
    }

    @Test("without configured proxies nobody is believed", arguments: believed)
    func closed(row: Row) throws {
        #expect(try client(row, TrustedProxies()) == peer(row.peer))
    }

    @Test(
        "what is no network is refused",
        arguments: [
            "", "/", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/8/8", "x",
            "10.0.0.0/+8",
            "10.0.0.0/ 8", "::1%lo/128", "*",
        ])
    func malformed(text: String) {
        #expect(throws: IPNetwork.Malformed.self) { try IPNetwork(text) }
    }

    @Test(
        "a network has the addresses with its first bits",
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
