import AMQP
import ImageHeaders
import Multipart
import Reactor
import TestSupport
import Testing

/// Gives each parser of untrusted input 20,000 nearly valid inputs, which are the same in every run. A crash ends the
/// test run; a wrong result fails the test with the input.
@Suite("Fuzzing of the parsers of untrusted input", .timeLimit(.minutes(5)))
struct FuzzTests {
    private static let count = 20_000

    @Test("mutated JSON neither crashes nor hangs the parser, and keeps its value when it is written and parsed again")
    func json() async throws {
        try await Self.run(
            InputMutator(seed: 1, inputs: JSONTarget.seeds, dictionary: JSONTarget.dictionary), JSONTarget.failure)
    }

    @Test("a mutated multipart body gives the same result in one chunk and in chunks of 1 and of 7 bytes")
    func multipart() async throws {
        try await Self.run(
            InputMutator(seed: 2, inputs: MultipartTarget.seeds, dictionary: MultipartTarget.dictionary),
            MultipartTarget.failure)
    }

    @Test("mutated images neither crash nor hang the parser, and an image cut off after 8 bytes is refused")
    func images() async throws {
        try await Self.run(
            InputMutator(
                seed: 5, inputs: ImageTarget.seeds + SamplePicture.withMetadata.map(\.file) + Self.pictures,
                dictionary: ImageTarget.dictionary), ImageTarget.failure)
    }

    private static let pictures = [
        SamplePicture.alphaAVIF, SamplePicture.gridAVIF, SamplePicture.restartJPEG, SamplePicture.animatedWebP(),
    ]

    @Test("mutated message properties neither crash nor hang the decoder, and give the same result twice")
    func properties() async throws {
        try await Self.run(
            InputMutator(seed: 3, inputs: PropertiesTarget.seeds, dictionary: PropertiesTarget.dictionary),
            PropertiesTarget.failure)
    }

    @Test("a mutated access token is refused unless its header and its claims are unchanged")
    func tokens() async throws {
        let target = try await TokenTarget()
        try await Self.run(
            InputMutator(seed: 4, inputs: TokenTarget.seeds, dictionary: TokenTarget.dictionary), target.failure)
    }

    @Test("mutated request targets and header fields neither crash nor hang the ingress, and pass on only valid values")
    func requestHeads() async throws {
        try await Self.run(
            InputMutator(seed: 6, inputs: RequestHeadTarget.seeds, dictionary: RequestHeadTarget.dictionary),
            RequestHeadTarget.failure)
    }

    @Test("decoding headers that are nested as deeply as a frame allows does not overflow the loop's stack")
    @Loop func nesting() {
        // A frame has at most 131,072 bytes and each level takes seven.
        let input = PropertiesTarget.headers(PropertiesTarget.nested(131_000 / 7))
        #expect(input.count < 131_072)
        let headers = PropertiesTarget.decode(input)?.headers
        #expect(headers == nil || headers?["n"] != nil)
    }

    @Test("the unmutated inputs of each fuzz target give the right results")
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
