internal import Contracts
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// The body of an HTTP request; messages have bodies of their own.
typealias HTTPBody = HummingbirdCore.RequestBody

/// Reads a request's body as far as it is taken.
struct BodyReader: Sendable {
    /// The body came too slowly.
    struct TooSlow: Error {}

    /// The connection ended before the body did.
    private struct CutOff: Error {}

    /// The most bytes of a JSON body.
    let jsonLimit: Int
    /// The most bytes of an uploaded file.
    let uploadLimit: Int
    /// How much of all JSON bodies is held at once.
    let jsonBudget: BodyBudget
    /// How much of all uploads is held at once: whatever becomes of those, JSON has room of its own.
    let uploadBudget: BodyBudget

    /// The most bytes of a multipart body beside its file: boundaries and part headers.
    private static let formOverhead = 64 * 1024

    /// Reads a JSON body, byte for byte.
    ///
    /// - Parameter share: takes the room for what is read.
    /// - Throws: `unsupported-media-type`, `body-too-large`, `request-timeout`, `malformed-request`, what the budget
    ///   throws, or the error of a connection that broke.
    @concurrent func json(
        _ fields: RequestFields, _ body: HTTPBody, _ writer: borrowing ResponseWriter, _ share: BodyShare
    ) async throws -> [UInt8] {
        try JSONType.check(fields.contentType)
        try checkCoding(fields)
        try check(fields, limit: jsonLimit)
        try share.check(fields.contentLength ?? 0)
        try await sendContinue(fields, writer)
        var bytes: [UInt8] = []
        try await eachChunk(body) { buffer throws(Problem) in
            guard bytes.count + buffer.readableBytes <= jsonLimit else { throw Problem(.bodyTooLarge) }
            try share.take(buffer.readableBytes)
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        try checkEnd(fields, bytes.count)
        return bytes
    }

    /// Reads a multipart form as it comes, and keeps its one file.
    ///
    /// - Parameter share: as for JSON.
    /// - Throws: as for JSON.
    @concurrent func upload(
        _ fields: RequestFields, _ body: HTTPBody, _ writer: borrowing ResponseWriter, _ share: BodyShare
    ) async throws -> UploadedFile {
        var form = try UploadForm(contentType: fields.contentType, limit: uploadLimit)
        try checkCoding(fields)
        try check(fields, limit: uploadLimit + Self.formOverhead)
        try share.check(fields.contentLength ?? 0)
        try await sendContinue(fields, writer)
        var total = 0
        try await eachChunk(body) { buffer throws(Problem) in
            total += buffer.readableBytes
            guard total <= uploadLimit + Self.formOverhead else { throw Problem(.bodyTooLarge) }
            try share.take(buffer.readableBytes)
            try form.feed(Array(buffer.readableBytesView))
        }
        try checkEnd(fields, total)
        return try form.finish()
    }

    /// What is compressed would have to be unpacked before its size is known.
    private func checkCoding(_ fields: RequestFields) throws(Problem) {
        guard fields.contentEncoding ?? "identity" == "identity" else {
            throw Problem(.unsupportedMediaType, detail: "The body must not have a content coding.")
        }
    }

    private func check(_ fields: RequestFields, limit: Int) throws(Problem) {
        guard fields.contentLength ?? 0 <= limit else { throw Problem(.bodyTooLarge) }
    }

    /// A body that ends early because the connection is being given up must not pass for a whole one.
    private func checkEnd(_ fields: RequestFields, _ count: Int) throws {
        try Task.checkCancellation()
        guard fields.contentLength ?? count == count else { throw CutOff() }
    }

    @concurrent private func sendContinue(_ fields: RequestFields, _ writer: borrowing ResponseWriter) async throws {
        guard fields.expectsContinue else { return }
        try await writer.writeInformationalHead(.init(status: .continue))
    }

    private func eachChunk(_ body: HTTPBody, _ take: (ByteBuffer) throws(Problem) -> Void) async throws {
        do {
            for try await buffer in body { try take(buffer) }
        } catch is TooSlow {
            throw Problem(.requestTimeout, detail: "The body took too long to arrive.")
        } catch  where BadRequest.isOne(error) {
            throw Problem(.malformedRequest, detail: "The body's framing is malformed.")
        }
    }
}
