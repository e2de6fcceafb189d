internal import Contracts
internal import NIOCore
internal import NIOHTTP1

/// A request head or a chunked body that the HTTP parser accepts but the ingress refuses.
struct MalformedRequest: Error, Hashable {
    /// The framing of a chunked body is far larger than the body.
    static let longFraming = MalformedRequest("The chunk extensions or trailer fields of the body are too long.")

    /// One sentence for the client.
    let detail: String

    init(_ detail: String) {
        self.detail = detail
    }

    /// The problem to send.
    var problem: Problem { Problem(.malformedRequest, detail: detail) }

    /// Whether an error means that the client sent malformed HTTP.
    static func isReported(by error: any Error) -> Bool {
        switch error {
        // The decoder throws this for every packet that follows malformed input.
        case ByteToMessageDecoderError.dataReceivedInErrorState: true
        default: error is HTTPParserError || error is MalformedRequest
        }
    }

    /// Returns the problem to send for an error that means malformed HTTP.
    static func problem(for error: any Error) -> Problem {
        switch error {
        case HTTPParserError.headerOverflow: Problem(.headersTooLarge)
        case let error as MalformedRequest: error.problem
        default: Problem(.malformedRequest, detail: "The request is not well-formed HTTP/1.1.")
        }
    }
}
