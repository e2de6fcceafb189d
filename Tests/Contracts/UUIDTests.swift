import Contracts
import FoundationEssentials
import TestSupport
import Testing

@Suite("UUIDs")
struct UUIDTests {
    private let sample = "0190a0b0-1234-7abc-8def-0123456789ab"

    @Test("a UUID is written in lower case and parsed in either case")
    func text() throws {
        let id = try #require(UUID(text: sample.uppercased()))
        #expect(id.text == sample)
        #expect(id == UUID(uuidString: sample))
    }

    @Test(
        "a text that is not in the 8-4-4-4-12 form of a UUID is refused",
        arguments: [
            "", "0190a0b0-1234-7abc-8def-0123456789a", "0190a0b0-1234-7abc-8def-0123456789abc",
            "0190a0b012347abc8def0123456789ab", "{0190a0b0-1234-7abc-8def-0123456789ab}",
            "0190a0b0-1234-7abc-8def-0123456789ag",
            "0190a0b01-234-7abc-8def-0123456789ab", "0190a0b0_1234-7abc-8def-0123456789ab",
            " 190a0b0-1234-7abc-8def-0123456789ab",
            "0190a0b0-1234-7abc-8def-01234567é9a", "urn:uuid:0190a0b0-1234-7abc-8def-0123",
        ])
    func refused(text: String) {
        #expect(UUID(text: text) == nil)
    }

    @Test("a new version 7 UUID contains the current time, the version and the variant")
    func version7() {
        let before = Timestamp.now()
        let id = UUID.v7()
        #expect(id.version == 7)
        #expect(id.timestamp.map { $0 >= before } == true)
        #expect(id.octets[8] >> 6 == 0b10)
    }

    @Test(
        "a version 5 UUID equals the example of RFC 9562 and the results of other libraries",
        arguments: [
            ("www.example.com", "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
            ("", "4ebd0208-8328-5d69-8c44-ec50939c0967"),
            ("käse/\u{1F407}", "872a445d-fc07-56c4-8e02-ca2b5e5e8944"),
        ])
    func version5(name: String, text: String) throws {
        let domains = try #require(UUID(text: "6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
        #expect(UUID.v5(namespace: domains, name: name).text == text)
    }

    @Test("version 7 UUIDs from concurrent tasks are unique, and ascend within each task")
    func ascending() async {
        let ids = await withTaskGroup(of: [UUID].self) { group in
            for _ in 0..<4 { group.addTask { @concurrent in (0..<20_000).map { _ in UUID.v7() } } }
            var all: [UUID] = []
            for await batch in group {
                let texts = batch.map(\.text)
                #expect(texts == texts.sorted())
                all += batch
            }
            return all
        }
        #expect(Set(ids).count == 80_000)
        #expect(ids.allSatisfy { $0.version == 7 && $0.octets[8] >> 6 == 0b10 })
    }

    @Test("a version 7 UUID that is made from a name depends only on the name and the time")
    func named() {
        let time = Timestamp(milliseconds: 1_720_000_000_000)
        let names = (0..<10_000).map { Array("name \($0)".utf8) }
        let ids = names.map { UUID.v7(hashing: $0, at: time) }
        #expect(ids == names.map { UUID.v7(hashing: $0, at: time) })
        #expect(Set(ids).count == names.count)
        #expect(ids.allSatisfy { $0.version == 7 && $0.octets[8] >> 6 == 0b10 && $0.timestamp == time })
        #expect(UUID.v7(hashing: names[0], at: Timestamp(milliseconds: 5)) != ids[0])
    }

    @Test("a version 7 UUID that is made from a name contains 74 bits of the name's SHA-256")
    func hashed() {
        // sha256("abc") = ba7816bf 8f01cfea 414140de 5dae2223 ...
        let id = UUID.v7(hashing: Array("abc".utf8), at: Timestamp(milliseconds: 0x0123_4567_89AB))
        #expect(id.text == "01234567-89ab-7fea-8141-40de5dae2223")
    }

    @Test("a version 7 UUID can be made from a name for any time", arguments: [Int64.min, -1, 0, .max])
    func anyTime(milliseconds: Int64) {
        #expect(UUID.v7(hashing: [], at: Timestamp(milliseconds: milliseconds)).version == 7)
    }
}
