internal import Contracts
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// What is wrong with bytes that are no HTTP request.
enum BadRequest {
    /// Whether an error says that the client sent no proper HTTP.
    static func isOne(_ error: any Error) -> Bool {
        error is HTTPParserError || error is HTTP1TypeConversionError
    }

    /// The problem that says so.
    static func problem(_ error: any Error) -> Problem {
        if case .headerOverflow? = error as? HTTPParserError {
            Problem(.headersTooLarge)
        } else {
            Problem(.malformedRequest, detail: "This is not a well-formed HTTP/1.1 request.")
        }
    }
}
