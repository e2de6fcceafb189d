internal import Contracts
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// What is wrong with bytes that are no HTTP request.
enum BadRequest {
    /// Whether an error says that the client sent no proper HTTP.
    static func isOne(_ error: any Error) -> Bool {
        switch error {
        // What comes behind bytes that are no HTTP, in a packet of its own.
        case ByteToMessageDecoderError.dataReceivedInErrorState: true
        default: error is HTTPParserError || error is HTTP1TypeConversionError || error is RequestHead.Malformed
        }
    }

    /// The problem that says so.
    static func problem(_ error: any Error) -> Problem {
        switch error {
        case HTTPParserError.headerOverflow: Problem(.headersTooLarge)
        case let error as RequestHead.Malformed: Problem(.malformedRequest, detail: error.detail)
        default: Problem(.malformedRequest, detail: "This is not a well-formed HTTP/1.1 request.")
        }
    }
}
