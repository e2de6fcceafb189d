internal import Contracts
internal import Multipart

/// The file of a multipart form, and its description.
struct UploadedFile: Sendable, Hashable {
    var bytes: [UInt8]
    /// The type that the client declared if it is an accepted image type, otherwise `application/octet-stream`. The
    /// worker determines the real type from the bytes.
    var contentType: String
    /// The text in the part `description`, which the worker checks; `nil` if the form has no such part.
    var description: String?
}

/// A multipart form, parsed incrementally. The part `file` has the file, and the part `description` its description.
/// All other parts are text fields, which are ignored.
struct UploadForm {
    private static let imageTypes = ["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"]
    private static let unknownType = "application/octet-stream"
    /// The maximum number of parts.
    private static let maximumParts = 16
    /// The maximum size of all text fields together, in bytes.
    private static let maximumTextBytes = 16 * 1024

    private enum Part {
        case file, description, other
    }

    private let limit: Int
    private var parser: MultipartParser
    private var part = Part.other
    private var file: UploadedFile?
    private var description: [UInt8]?
    private var textBytes = 0

    /// Starts to parse a form.
    ///
    /// - Parameters:
    ///   - contentType: the request's `Content-Type` field.
    ///   - limit: the maximum size of the file, in bytes.
    /// - Throws: `unsupported-media-type` if the content type is not `multipart/form-data`, `malformed-request` if its
    ///   boundary is missing or invalid.
    init(contentType: String?, limit: Int) throws(Problem) {
        self.limit = limit
        do throws(MultipartError) {
            let boundary = try MultipartBoundary(contentType: contentType ?? "")
            // This type checks the sizes itself, because its messages name the part that is too large.
            parser = MultipartParser(
                boundary: boundary, limits: MultipartLimits(bodyBytes: .max, parts: Self.maximumParts))
        } catch {
            throw Self.problem(error)
        }
    }

    /// Parses the next chunk.
    ///
    /// - Throws: `malformed-request`, or `body-too-large` if the file or the text fields exceed their limit.
    mutating func feed(_ chunk: [UInt8]) throws(Problem) {
        let events: [MultipartEvent]
        do throws(MultipartError) {
            events = try parser.feed(chunk)
        } catch {
            throw Self.problem(error)
        }
        for event in events {
            switch event {
            case .partHeaders(let part): try begin(part)
            case .bodyBytes(let bytes): try add(bytes)
            case .partEnd, .end: break
            }
        }
    }

    /// Returns the file after the last chunk was parsed.
    ///
    /// - Throws: `malformed-request` if the form is incomplete or has no file, `invalid` if the file is empty or the
    ///   description is not UTF-8.
    mutating func finish() throws(Problem) -> UploadedFile {
        do throws(MultipartError) {
            try parser.finish()
        } catch {
            throw Self.problem(error)
        }
        guard var file else { throw Self.malformed("The form must have a part named file.") }
        guard !file.bytes.isEmpty else { throw Problem.invalid("/file", "must not be empty") }
        if let description {
            guard let text = String(validating: description, as: UTF8.self) else {
                throw Problem.invalid("/description", "must be UTF-8")
            }
            file.description = text
        }
        return file
    }

    private mutating func begin(_ part: MultipartPart) throws(Problem) {
        switch part.name {
        case "file":
            guard file == nil else { throw Self.malformed("The form must not have more than one file.") }
            let type = part.contentType?.lowercased() ?? ""
            file = UploadedFile(bytes: [], contentType: Self.imageTypes.contains(type) ? type : Self.unknownType)
            self.part = .file
        case "description":
            guard description == nil else { throw Self.malformed("The form must not have more than one description.") }
            description = []
            self.part = .description
        default:
            // Browsers send an empty file name if the user has selected no file.
            guard part.filename ?? "" == "" else { throw Self.malformed("The part of the file must be named file.") }
            self.part = .other
        }
    }

    private mutating func add(_ bytes: ArraySlice<UInt8>) throws(Problem) {
        switch part {
        case .file:
            guard (file?.bytes.count ?? 0) + bytes.count <= limit else { throw Problem(.bodyTooLarge) }
            file?.bytes.append(contentsOf: bytes)
            return
        case .description: description?.append(contentsOf: bytes)
        case .other: break
        }
        textBytes += bytes.count
        guard textBytes <= Self.maximumTextBytes else {
            throw Problem(
                .bodyTooLarge,
                detail: "The text fields must not have more than \(Self.maximumTextBytes) bytes together.")
        }
    }

    private static func malformed(_ detail: String) -> Problem {
        Problem(.malformedRequest, detail: detail)
    }

    private static func problem(_ error: MultipartError) -> Problem {
        switch error {
        case .notMultipart: Problem(.unsupportedMediaType, detail: error.reason)
        case .bodyTooLarge: Problem(.bodyTooLarge)
        case .tooManyParts: malformed("The form must not have more than \(maximumParts) parts.")
        default: malformed(error.reason)
        }
    }
}
