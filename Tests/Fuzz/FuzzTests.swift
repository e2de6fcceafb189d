import AMQP
import ImageHeaders
import Multipart
import Reactor
import TestSupport
import Testing

/// Inputs that are nearly right, tens of thousands of them, the same in every run. A crash ends the test run; what is read
/// wrongly fails the test with the input.
@Suite("No bytes that anyone sends crash or hang what reads them first", .timeLimit(.minutes(5)))
struct FuzzTests {
    private static let count = 20_000

    @Test("JSON bodies and events")
    func json() async throws {
        try await Self.run(Havoc(seed: 1, seeds: JSONEntry.seeds, words: JSONEntry.words), JSONEntry.fault)
    }

    @Test("multipart bodies, which are the same however they are cut")
    func multipart() async throws {
        try await Self.run(
            Havoc(seed: 2, seeds: MultipartEntry.seeds, words: MultipartEntry.words), MultipartEntry.fault)
    }

    @Test("pictures, of which none is one that is cut off")
    func images() async throws {
        try await Self.run(Havoc(seed: 5, seeds: ImageEntry.seeds, words: ImageEntry.words), ImageEntry.fault)
    }

    @Test("properties and headers of messages")
    func properties() async throws {
        try await Self.run(
            Havoc(seed: 3, seeds: PropertiesEntry.seeds, words: PropertiesEntry.words), PropertiesEntry.fault)
    }

    @Test("access tokens, of which none is taken but the one that was signed")
    func tokens() async throws {
        let entry = try await TokenEntry()
        try await Self.run(Havoc(seed: 4, seeds: TokenEntry.seeds, words: TokenEntry.words), entry.fault)
    }

    @Test("headers nested as deeply as a frame can hold do not exhaust the stack of the loop")
    @Loop func nesting() {
        // A frame has 131,072 bytes, and a level seven.
        let input = PropertiesEntry.headers(PropertiesEntry.nested(131_000 / 7))
        #expect(input.count < 131_072)
        let headers = PropertiesEntry.decode(input)?.headers
        #expect(headers == nil || headers?["n"] != nil)
    }

    @Test("the inputs that the fuzzer starts from are themselves read as what they are")
    func seeds() async throws {
        #expect(PropertiesEntry.seeds.allSatisfy { PropertiesEntry.decode($0) != nil })
        let entry = try await TokenEntry()
        #expect(TokenEntry.seeds.allSatisfy { entry.fault(in: $0) == nil })
        #expect(ImageEntry.seeds.allSatisfy { (try? ImageHeader($0)) != nil })
        #expect(MultipartEntry.seeds.allSatisfy { MultipartEntry.fault(in: $0) == nil })
    }

    private static func run(_ havoc: Havoc, _ fault: @escaping @Sendable ([UInt8]) -> String?) async throws {
        try await onThreads {
            var havoc = havoc
            for number in 0..<count {
                let input = havoc.next()
                guard let fault = fault(input) else { continue }
                Issue.record("input \(number), \(input): \(fault)")
                return
            }
        }
    }
}
