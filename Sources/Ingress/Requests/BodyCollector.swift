internal import ASCII
internal import Contracts
internal import NIOCore

/// Collects the body of a request while it arrives. It refuses a body that is larger than the maximum size, or that
/// does not fit into its budget.
protocol BodyCollector {
    /// Takes the next part of the body.
    ///
    /// - Throws: `body-too-large`, `malformed-request`, or the problems of ``ByteReservation/reserve(_:)``.
    mutating func receive(_ buffer: ByteBuffer) throws(Problem)

    /// Returns the body of the message when the request's body is complete.
    ///
    /// - Throws: `malformed-request` or `invalid`.
    mutating func finish() throws(Problem) -> MessageBody
}

/// The body of a message, its media type, and the description of the picture in an upload.
struct MessageBody {
    var bytes: [UInt8]
    var contentType: String
    var description: String?
}

/// A budget is the memory that all JSON bodies or all uploads together may use (see ``ByteBudget``).
struct BodyLimits: Sendable {
    /// The maximum size of a JSON body, in bytes.
    let json: Int
    /// The maximum size of an uploaded file, in bytes.
    let upload: Int
    /// The budget for JSON bodies.
    let jsonBudget: ByteBudget
    /// The budget for uploads. It is separate, so that uploads cannot use up the memory for JSON bodies.
    let uploadBudget: ByteBudget
}

/// Collects a JSON body as bytes, without decoding it.
struct JSONBody: BodyCollector {
    private let limit: Int
    private let reservation: ByteReservation
    private var bytes: [UInt8] = []
    private let members: AddedMembers?

    /// Checks the fields of the request.
    ///
    /// - Parameters:
    ///   - reservation: reserves the bytes that arrive.
    ///   - members: the members to add to the JSON object.
    /// - Throws: `unsupported-media-type`, `body-too-large`, or the problems of ``ByteReservation/reserve(_:)``.
    init(
        _ fields: RequestFields, limit: Int, _ reservation: ByteReservation, adding members: AddedMembers? = nil
    ) throws(Problem) {
        try JSONContentType.check(fields.contentType)
        try fields.checkBody(limit: limit, reservation)
        self.limit = limit
        self.reservation = reservation
        self.members = members
    }

    mutating func receive(_ buffer: ByteBuffer) throws(Problem) {
        guard bytes.count + buffer.readableBytes <= limit else { throw Problem(.bodyTooLarge) }
        try reservation.reserve(buffer.readableBytes)
        bytes.append(contentsOf: buffer.readableBytesView)
    }

    mutating func finish() throws(Problem) -> MessageBody {
        defer { bytes = [] }
        let body = try members?.added(to: bytes) ?? bytes
        return MessageBody(bytes: body, contentType: ContentType.json)
    }
}

/// Collects the file of a multipart form, which is parsed while it arrives.
struct UploadBody: BodyCollector {
    /// The maximum size of the boundaries and part headers in a multipart body, in bytes.
    private static let formOverhead = 64 * 1024

    private let limit: Int
    private let reservation: ByteReservation
    private var form: UploadForm
    private var count = 0

    /// Checks the fields of the request.
    ///
    /// - Parameters:
    ///   - fileLimit: the maximum size of the file, in bytes.
    ///   - reservation: reserves the bytes that arrive.
    /// - Throws: `unsupported-media-type`, `malformed-request`, `body-too-large`, or the problems of
    ///   ``ByteReservation/reserve(_:)``.
    init(_ fields: RequestFields, fileLimit: Int, _ reservation: ByteReservation) throws(Problem) {
        form = try UploadForm(contentType: fields.contentType, limit: fileLimit)
        limit = fileLimit + Self.formOverhead
        try fields.checkBody(limit: limit, reservation)
        self.reservation = reservation
    }

    mutating func receive(_ buffer: ByteBuffer) throws(Problem) {
        count += buffer.readableBytes
        guard count <= limit else { throw Problem(.bodyTooLarge) }
        try reservation.reserve(buffer.readableBytes)
        try form.feed(Array(buffer.readableBytesView))
    }

    mutating func finish() throws(Problem) -> MessageBody {
        let file = try form.finish()
        return MessageBody(bytes: file.bytes, contentType: file.contentType, description: file.description)
    }
}

extension RequestFields {
    /// Refuses a body whose announced length exceeds a limit or the budget. Refuses a compressed body, because its real
    /// size is unknown until it is decompressed.
    fileprivate func checkBody(limit: Int, _ reservation: ByteReservation) throws(Problem) {
        guard isIdentity else {
            throw Problem(
                .unsupportedMediaType, detail: "The body must not have a Content-Encoding other than identity.")
        }
        guard contentLength ?? 0 <= limit else { throw Problem(.bodyTooLarge) }
        try reservation.check(contentLength ?? 0)
    }

    /// Whether the body is not compressed. `Content-Encoding` is a list, whose empty elements are ignored (RFC 9110,
    /// section 5.6.1).
    private var isIdentity: Bool {
        guard let contentEncoding else { return true }
        let encodings = FieldText.split(contentEncoding[...], at: UInt8(ascii: ","))
        return encodings?.allSatisfy { $0.isEmpty || $0.lowercased() == "identity" } ?? false
    }
}

/// The content type of a JSON body.
enum JSONContentType {
    /// Checks that a `Content-Type` field is `application/json`. A parameter has no meaning (RFC 8259, section 11), but
    /// a `charset` other than UTF-8 means that the body is not JSON for other systems (section 8.1).
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
        guard let parts = FieldText.split(field[...], at: UInt8(ascii: ";")),
            parts.first?.lowercased() == ContentType.json
        else { return false }
        return parts.dropFirst().allSatisfy { part in
            let (name, value) = FieldText.pair(part)
            return name != "charset" || ["utf-8", "utf8"].contains(value.lowercased())
        }
    }
}
