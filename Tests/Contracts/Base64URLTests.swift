import Testing

@testable import Contracts

@Suite("Base64URL")
struct Base64URLTests {
    @Test(
        "Base64URL encodes and decodes the vectors of RFC 4648 without padding",
        arguments: [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ])
    func vectors(plain: String, encoded: String) {
        #expect(Base64URL.encode(plain.utf8) == encoded)
        #expect(Base64URL.decode(encoded.utf8) == Array(plain.utf8))
    }

    @Test("Base64URL uses - and _ instead of + and /")
    func alphabet() {
        #expect(Base64URL.encode([0xFB, 0xFF, 0xFE]) == "-__-")
        #expect(Base64URL.decode("-__-".utf8) == [0xFB, 0xFF, 0xFE])
    }

    @Test(
        "Base64URL.decode returns nil for padding, another alphabet, an impossible length and unused bits that are set",
        arguments: ["Zg==", "+/+/", "Zh", "Z", "Z g"])
    func refused(text: String) {
        #expect(Base64URL.decode(text.utf8) == nil)
    }

    @Test("Base64URL decodes its own output for every length")
    func roundTrip() {
        var generator = SystemRandomNumberGenerator()
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
        }
    }
}
