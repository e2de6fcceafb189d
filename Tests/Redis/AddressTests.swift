import Reactor
import Redis
import Testing

@Suite("Redis address")
struct AddressTests {
    @Test("a Redis URL is parsed, and its parts are percent-decoded")
    func everything() throws {
        let address = try RedisAddress(url: "redis://cache%40home:p%3Aw%2F1@redis.example:6380/7")
        #expect(address.host == "redis.example")
        #expect(address.port == 6380)
        #expect(address.user == "cache@home")
        #expect(address.password == "p:w/1")
        #expect(address.database == 7)
    }

    @Test("all parts of a Redis URL except the host are optional")
    func defaults() throws {
        let address = try RedisAddress(url: "redis://localhost")
        #expect(address.port == 6379)
        #expect(address.user == nil)
        #expect(address.password == nil)
        #expect(address.database == 0)
        #expect(try RedisAddress(url: "redis://:secret@[::1]:6379/").host == "::1")
    }

    @Test(
        "an invalid Redis URL throws an address error",
        arguments: [
            "", "localhost", "http://localhost", "redis://", "redis://localhost/x", "redis://localhost/-1",
            "redis://localhost:0", "redis://localhost:70000", "redis://user@localhost", "redis://localhost/0?db=1",
            "redis://local host", "redis://localhost/99999999999999999999",
        ])
    func malformed(url: String) {
        #expect { try RedisAddress(url: url) } throws: { ($0 as? RedisError)?.code == .address }
    }

    @Test("a rediss:// URL throws an error that mentions TLS and does not contain the password")
    func tls() {
        #expect { try RedisAddress(url: "rediss://:hunter2@localhost") } throws: { error in
            let text = (error as? RedisError)?.description ?? ""
            return text.contains("TLS") && !text.contains("hunter2")
        }
    }
}
