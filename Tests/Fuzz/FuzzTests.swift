import AMQP
import ImageHeaders
import Multipart
import Reactor
import TestSupport
import Testing

/// Feeds each parser of untrusted input with 20,000 nearly valid inputs, the same in every run. A crash ends the test
/// run; a wrong result fails the test with the input.
@Suite("Fuzzing of the parsers of untrusted input", .timeLimit(.minutes(5)))
struct FuzzTests {
    private static let count = 20_000

    @Test("mutated JSON bodies and events neither crash nor hang the parser")
    func json() async throws {
        try await Self.run(InputMutator(seed: 1, seeds: JSONTarget.seeds, words: JSONTarget.words), JSONTarget.failure)
    }

    @Test("mutated multipart bodies are parsed alike for every chunk size")
    func multipart() async throws {
        try await Self.run(
            InputMutator(seed: 2, seeds: MultipartTarget.seeds, words: MultipartTarget.words), MultipartTarget.failure)
    }

    @Test("mutated images neither crash nor hang the parser, and a truncated image is refused")
    func images() async throws {
        try await Self.run(
            InputMutator(seed: 5, seeds: ImageTarget.seeds, words: ImageTarget.words), ImageTarget.failure)
    }

    @Test("mutated message properties neither crash nor hang the decoder")
    func properties() async throws {
        try await Self.run(
            InputMutator(seed: 3, seeds: PropertiesTarget.seeds, words: PropertiesTarget.words),
            PropertiesTarget.failure)
    }

    @Test("mutated access tokens are refused unless the signed part is genuine")
    func tokens() async throws {
        let target = try await TokenTarget()
        try await Self.run(InputMutator(seed: 4, seeds: TokenTarget.seeds, words: TokenTarget.words), target.failure)
    }

    @Test("headers nested as deeply as a frame allows do not exhaust the stack of the loop")
    @Loop func nesting() {
        // A frame has at most 131,072 bytes and each level takes seven.
        let input = PropertiesTarget.headers(PropertiesTarget.nested(131_000 / 7))
        #expect(input.count < 131_072)
        let headers = PropertiesTarget.decode(input)?.headers
        #expect(headers == nil || headers?["n"] != nil)
    }

    @Test("the unmutated inputs are accepted")
    func seeds() async throws {
        #expect(PropertiesTarget.seeds.allSatisfy { PropertiesTarget.decode($0) != nil })
        let target = try await TokenTarget()
        #expect(TokenTarget.seeds.allSatisfy { target.failure(in: $0) == nil })
        #expect(ImageTarget.seeds.allSatisfy { (try? ImageHeader($0)) != nil })
        #expect(MultipartTarget.seeds.allSatisfy { MultipartTarget.failure(in: $0) == nil })
    }

    private static func run(_ mutator: InputMutator, _ check: @escaping @Sendable ([UInt8]) -> String?) async throws {
        try await onThreads {
            var mutator = mutator
            for number in 0..<count {
                let input = mutator.next()
                guard let failure = check(input) else { continue }
                Issue.record("input \(number), \(input): \(failure)")
                return
            }
        }
    }
}
