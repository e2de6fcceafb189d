import Reactor
import TestData
import TestSupport
import Testing

@testable import AMQP

@Suite("Broker address")
struct BrokerAddressTests {
    @Test("an AMQP URI is parsed, and its parts are percent-decoded")
    func parses() throws {
        let address = try BrokerAddress(
            url:
                "amqp://us%65r:p%40ss%2Fw%3A@broker.test:1234/my%2Fhost?heartbeat=7&cacertfile=%2Fca.pem&verify=verify_none"
        )
        #expect(address.user == "user")
        #expect(address.password == "p@ss/w:")
        #expect(address.hosts == [.init("broker.test", port: 1234)])
        #expect(address.virtualHost == "my/host")
        #expect(!address.isTLS)
        #expect(address.heartbeat == 7)
        #expect(address.caCertificateFile == "/ca.pem")
        #expect(!address.verifiesPeer)
    }

    @Test(
        "missing parts of an AMQP URI get RabbitMQ's defaults, and the broker's certificate is verified by default")
    func defaults() throws {
        let plain = try BrokerAddress(url: "amqp://host")
        #expect(plain == BrokerAddress(host: "host"))
        #expect(plain.virtualHost == "/")
        #expect(try BrokerAddress(url: "amqp://host/").virtualHost == "/")
        #expect(try BrokerAddress(url: "amqp://host/%2f").virtualHost == "/")
        let secure = try BrokerAddress(url: "AMQPS://me@host")
        #expect(secure.isTLS && secure.verifiesPeer)
        #expect(secure.hosts == [.init("host", port: 5671)])
        #expect(secure.user == "me")
        #expect(secure.password == "guest")
    }

    @Test("an IPv6 address in brackets is parsed as the host of an AMQP URI, without the brackets")
    func parsesIPv6() throws {
        let address = try BrokerAddress(url: "amqp://u:p@[::1]:5673/v")
        #expect(address.hosts == [.init("::1", port: 5673)])
        #expect(try BrokerAddress(url: "amqp://[fe80::2]").hosts == [.init("fe80::2", port: 5672)])
    }

    @Test("an AMQP URI with several hosts is parsed, and a host without a port gets the default port")
    func parsesCluster() throws {
        let address = try BrokerAddress(url: "amqp://u:p%2C@one:1001,t%77o,[::1]:1003,[::2],five:/v?heartbeat=3")
        #expect(
            address.hosts == [
                .init("one", port: 1001), .init("two", port: 5672), .init("::1", port: 1003), .init("::2", port: 5672),
                .init("five", port: 5672),
            ])
        #expect(address.password == "p,")
        #expect(address.virtualHost == "v")
        #expect(address.heartbeat == 3)
        #expect(try BrokerAddress(url: "amqps://one,two:1").hosts == [.init("one", port: 5671), .init("two", port: 1)])
        #expect(try BrokerAddress(url: "amqp://one:1,one:2").hosts.count == 2)
    }

    @Test("connections try the hosts of an AMQP URI in random order, but the host of the last connection at the end")
    func order() throws {
        let address = try BrokerAddress(url: "amqp://a,b,c")
        var random = SeededGenerator(seed: 1)
        var firsts: [String: Int] = [:]
        for _ in 0..<300 {
            let hosts = address.hostsToTry(avoiding: nil, using: &random)
            #expect(Set(hosts) == Set(address.hosts) && hosts.count == 3)
            firsts[hosts[0].name, default: 0] += 1
        }
        #expect(firsts.count == 3 && firsts.values.allSatisfy { $0 > 60 })
        firsts = [:]
        for _ in 0..<100 {
            let hosts = address.hostsToTry(avoiding: address.hosts[1], using: &random)
            #expect(hosts.count == 3 && hosts[2] == address.hosts[1])
            firsts[hosts[0].name, default: 0] += 1
        }
        #expect(firsts.keys.sorted() == ["a", "c"])
        let single = BrokerAddress(host: "only")
        #expect(single.hostsToTry(avoiding: single.hosts[0]) == single.hosts)
        // The host of the last connection need not be in a new address.
        #expect(single.hostsToTry(avoiding: address.hosts[0]) == single.hosts)
    }

    @Test(
        "an invalid AMQP URI throws an address error that does not repeat the password",
        arguments: [
            "", "broker", "http://u:secret@h", "amqp://", "amqp://u:secret@", "amqp://u:secret@h:port",
            "amqp://u:secret@h:0", "amqp://u:secret@h:70000", "amqp://u:sec%ret@h", "amqp://u:secret%0@h",
            "amqp://u:secret%00@h", "amqp://u:secret%ff@h", "amqp://u:secret@h/a/b", "amqp://u:secret@[::1",
            "amqp://u:secret@[::1]x", "amqp://u:secret@h?heartbeat=soon", "amqp://u:secret@h?verify=maybe",
            "amqp://u:secret@h?cacertfile=", "amqp://u:secret@h?secret=1", "amqp://u:secret@a,", "amqp://u:secret@,a",
            "amqp://u:secret@a,,b", "amqp://u:secret@a:1,b:x", "amqp://u:secret@a,b:0", "amqp://u:secret@a,[::1",
            "amqp://u:secret@a,[::1]x,b", "amqp://u:secret@a,:1", "amqp://u:secret@a,a:5672", "amqp://u:sec,ret@a,%ff",
        ])
    func refuses(_ url: String) {
        let error = #expect(throws: AMQPError.self) { try BrokerAddress(url: url) }
        #expect(error?.code == .address)
        #expect(error?.isTransient == false)
        #expect(error?.description.contains("secret") == false)
        #expect(error?.message.isEmpty == false)
    }

    @Test("the description of a broker address does not contain the password")
    func describes() throws {
        let address = try BrokerAddress(url: "amqps://me:secret@host/v")
        #expect(!"\(address)".contains("secret"))
        #expect(!String(reflecting: address).contains("secret"))
        #expect("\(address)".contains("me@host:5671"))
        #expect("\(try BrokerAddress(url: "amqp://me:secret@a,[::1]:2/v"))" == "amqp://me@a:5672,[::1]:2 vhost v")
    }
}
