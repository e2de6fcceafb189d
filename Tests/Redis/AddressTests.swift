import Redis
import Testing

@Suite("The address of a Redis server")
struct AddressTests {
    @Test("has host, port, user, password and database, percent-decoded")
    func everything() throws {
        let address = try RedisAddress(url: "redis://cache%40home:p%3Aw%2F1@redis.example:6380/7")
        #expect(address.host == "redis.example")
        #expect(address.port == 6380)
        #expect(address.user == "cache@home")
        #expect(address.password == "p:w/1")
        #expect(address.database == 7)
    }

    @Test("may leave out all but the host")
    func defaults() throws {
        let address = try RedisAddress(url: "redis://localhost")
        #expect(address.port == 6379)
        #expect(address.user == nil)
        #expect(address.password == nil)
        #expect(address.database == 0)
        #expect(try RedisAddress(url: "redis://:secret@[::1]:6379/").host == "::1")
    }

    @Test(
        "is refused where it means nothing",
        arguments: [
            "", "localhost", "http://localhost", "redis://", "redis://localhost/x", "redis://localhost/-1",
            "redis://localhost:0", "redis://localhost:70000", "redis://user@localhost", "redis://localhost/0?db=1",
            "redis://local host", "redis://localhost/99999999999999999999",
        ])
    func malformed(url: String) {
        #expect { try RedisAddress(url: url) } throws: { ($0 as? RedisError)?.code == .address }
    }

    @Test("that asks for TLS is refused with the reason, without the password")
    func tls() {
        #expect { try RedisAddress(url: "rediss://:hunter2@localhost") } throws: { error in
            let text = (error as? RedisError)?.description ?? ""
            return text.contains("TLS") && !text.contains("hunter2")
        }
    }
}
