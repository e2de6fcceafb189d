internal import ASCII
internal import Contracts
internal import HTTPTypes
internal import HummingbirdCore
internal import Multipart
internal import NIOCore

/// The body of an HTTP request, as opposed to the body of a message.
typealias HTTPBody = HummingbirdCore.RequestBody

/// Reads request bodies. Refuses a body that is larger than the maximum size, or that does not fit into its budget. A
/// budget is the memory that all JSON bodies or all uploads together may use (see ``ByteBudget``).
struct BodyReader: Sendable {
    /// The body did not arrive within its timeout.
    struct BodyTimeout: Error {}

    /// The connection ended before the body was complete.
    private struct IncompleteBody: Error {}

    /// The maximum size of a JSON body, in bytes.
    let jsonLimit: Int
    /// The maximum size of an uploaded file, in bytes.
    let uploadLimit: Int
    /// The budget for JSON bodies.
    let jsonBudget: ByteBudget
    /// The budget for uploads. It is separate, so that uploads cannot use up the memory for JSON bodies.
    let uploadBudget: ByteBudget

    /// The maximum size of the boundaries and part headers in a multipart body, in bytes.
    private static let formOverhead = 64 * 1024

    /// Reads a JSON body as bytes, without decoding it.
    ///
    /// - Parameter reservation: reserves the bytes that are read.
    /// - Throws: `unsupported-media-type`, `body-too-large`, `request-timeout`, `malformed-request`,
    ///   `too-many-requests` or `unavailable` if the bytes do not fit into the budget, or the error of a broken
    ///   connection.
    @concurrent func json(
        _ fields: RequestFields, _ body: HTTPBody, _ writer: borrowing ResponseWriter, _ reservation: ByteReservation
    ) async throws -> [UInt8] {
        try JSONContentType.check(fields.contentType)
        try checkEncoding(fields)
        try checkLength(fields, limit: jsonLimit)
        try reservation.check(fields.contentLength ?? 0)
        try await sendContinue(fields, writer)
        var bytes: [UInt8] = []
        try await forEachChunk(of: body) { buffer throws(Problem) in
            guard bytes.count + buffer.readableBytes <= jsonLimit else { throw Problem(.bodyTooLarge) }
            try reservation.reserve(buffer.readableBytes)
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        try checkIsComplete(fields, bytes.count)
        return bytes
    }

    /// Reads a multipart form incrementally and returns its file.
    ///
    /// - Parameter reservation: reserves the bytes that are read.
    /// - Throws: the same errors as ``json(_:_:_:_:)``, or `invalid` if the file is empty.
    @concurrent func upload(
        _ fields: RequestFields, _ body: HTTPBody, _ writer: borrowing ResponseWriter, _ reservation: ByteReservation
    ) async throws -> UploadedFile {
        var form = try UploadForm(contentType: fields.contentType, limit: uploadLimit)
        try checkEncoding(fields)
        try checkLength(fields, limit: uploadLimit + Self.formOverhead)
        try reservation.check(fields.contentLength ?? 0)
        try await sendContinue(fields, writer)
        var total = 0
        try await forEachChunk(of: body) { buffer throws(Problem) in
            total += buffer.readableBytes
            guard total <= uploadLimit + Self.formOverhead else { throw Problem(.bodyTooLarge) }
            try reservation.reserve(buffer.readableBytes)
            try form.feed(Array(buffer.readableBytesView))
        }
        try checkIsComplete(fields, total)
        return try form.finish()
    }

    /// Refuses a compressed body, because its real size is unknown until it is decompressed.
    private func checkEncoding(_ fields: RequestFields) throws(Problem) {
        guard fields.contentEncoding ?? "identity" == "identity" else {
            throw Problem(
                .unsupportedMediaType, detail: "The body must not have a Content-Encoding other than identity.")
        }
    }

    private func checkLength(_ fields: RequestFields, limit: Int) throws(Problem) {
        guard fields.contentLength ?? 0 <= limit else { throw Problem(.bodyTooLarge) }
    }

    /// Throws if the body is incomplete. The stream of a body ends without an error if the connection closes, so a
    /// truncated body looks like a complete one.
    private func checkIsComplete(_ fields: RequestFields, _ count: Int) throws {
        try Task.checkCancellation()
        guard fields.contentLength ?? count == count else { throw IncompleteBody() }
    }

    @concurrent private func sendContinue(_ fields: RequestFields, _ writer: borrowing ResponseWriter) async throws {
        guard fields.expectsContinue else { return }
        try await writer.writeInformationalHead(.init(status: .continue))
    }

    private func forEachChunk(of body: HTTPBody, _ take: (ByteBuffer) throws(Problem) -> Void) async throws {
        do {
            for try await buffer in body { try take(buffer) }
        } catch is BodyTimeout {
            throw Problem(.requestTimeout, detail: "The body did not arrive in time.")
        } catch  where MalformedRequest.isReported(by: error) {
            throw Problem(.malformedRequest, detail: "The framing of the body is malformed.")
        }
    }
}

/// The content type of a JSON body.
enum JSONContentType {
    /// Checks that a `Content-Type` field is `application/json`. If the field has a charset, the charset must be UTF-8
    /// (RFC 8259, section 8.1).
    ///
    /// - Throws: `unsupported-media-type` for any other field, or if the field is missing.
    static func check(_ field: String?) throws(Problem) {
        guard let field, accepts(field) else {
            throw Problem(
                .unsupportedMediaType, detail: "The Content-Type must be application/json in UTF-8.")
        }
    }

    private static func accepts(_ field: String) -> Bool {
        if field == ContentType.json { return true }
        guard field.utf8.count <= 256 else { return false }
        let parts = field.lowercased().split(separator: ";", omittingEmptySubsequences: false).map {
            Substring($0.utf8.trimmingBlanks)
        }
        guard let type = parts.first, type == ContentType.json else { return false }
        return parts.dropFirst().allSatisfy { part in
            part.isEmpty || part == "charset=utf-8" || part == "charset=\"utf-8\""
        }
    }
}
