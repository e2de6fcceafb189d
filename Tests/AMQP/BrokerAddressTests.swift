import AMQP
import Reactor
import Testing

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
        #expect(address.host == "broker.test")
        #expect(address.port == 1234)
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
        #expect(secure.port == 5671)
        #expect(secure.user == "me")
        #expect(secure.password == "guest")
    }

    @Test("an IPv6 address in brackets is parsed as the host of an AMQP URI, without the brackets")
    func parsesIPv6() throws {
        let address = try BrokerAddress(url: "amqp://u:p@[::1]:5673/v")
        #expect(address.host == "::1")
        #expect(address.port == 5673)
        #expect(try BrokerAddress(url: "amqp://[fe80::2]").host == "fe80::2")
    }

    @Test(
        "an invalid AMQP URI throws an address error that does not repeat the password",
        arguments: [
            "", "broker", "http://u:secret@h", "amqp://", "amqp://u:secret@", "amqp://u:secret@h:port",
            "amqp://u:secret@h:0", "amqp://u:secret@h:70000", "amqp://u:sec%ret@h", "amqp://u:secret%0@h",
            "amqp://u:secret%00@h", "amqp://u:secret%ff@h", "amqp://u:secret@h/a/b", "amqp://u:secret@[::1",
            "amqp://u:secret@[::1]x", "amqp://u:secret@h?heartbeat=soon", "amqp://u:secret@h?verify=maybe",
            "amqp://u:secret@h?cacertfile=", "amqp://u:secret@h?secret=1",
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
    }
}
