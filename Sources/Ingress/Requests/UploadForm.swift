internal import Contracts
internal import Multipart

/// The file of a multipart form.
struct UploadedFile: Sendable, Hashable {
    var bytes: [UInt8]
    /// The type that the client declared if it is an accepted image type, otherwise `application/octet-stream`. The
    /// worker determines the real type from the bytes.
    var contentType: String
}

/// A multipart form with exactly one part, named `file`, parsed incrementally.
struct UploadForm {
    private static let imageTypes = ["image/jpeg", "image/png", "image/gif", "image/webp"]
    private static let unknownType = "application/octet-stream"

    private var parser: MultipartParser
    private var file: UploadedFile?

    /// Starts to parse a form.
    ///
    /// - Parameters:
    ///   - contentType: the request's `Content-Type` field.
    ///   - limit: the maximum size of the file, in bytes.
    /// - Throws: `unsupported-media-type` if the content type is not `multipart/form-data`, `malformed-request` if its
    ///   boundary is missing or invalid.
    init(contentType: String?, limit: Int) throws(Problem) {
        do throws(MultipartError) {
            let boundary = try MultipartBoundary(contentType: contentType ?? "")
            parser = MultipartParser(boundary: boundary, limits: MultipartLimits(bodyBytes: limit, parts: 2))
        } catch {
            throw Self.problem(error)
        }
    }

    /// Parses the next chunk.
    ///
    /// - Throws: `malformed-request`, or `body-too-large` if the file exceeds the limit.
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
            case .bodyBytes(let bytes): file?.bytes.append(contentsOf: bytes)
            case .partEnd, .end: break
            }
        }
    }

    /// Returns the file after the last chunk was parsed.
    ///
    /// - Throws: `malformed-request` if the form is incomplete or has no file, `invalid` if the file is empty.
    mutating func finish() throws(Problem) -> UploadedFile {
        do throws(MultipartError) {
            try parser.finish()
        } catch {
            throw Self.problem(error)
        }
        guard let file else { throw Self.malformed("The form must have a part named file.") }
        guard !file.bytes.isEmpty else { throw Problem.invalid("/file", "must not be empty") }
        return file
    }

    private mutating func begin(_ part: MultipartPart) throws(Problem) {
        guard part.name == "file" else { throw Self.malformed("Each part of the form must be named file.") }
        guard file == nil else { throw Self.malformed("The form must not have more than one file.") }
        let type = part.contentType?.lowercased() ?? ""
        file = UploadedFile(bytes: [], contentType: Self.imageTypes.contains(type) ? type : Self.unknownType)
    }

    private static func malformed(_ detail: String) -> Problem {
        Problem(.malformedRequest, detail: detail)
    }

    private static func problem(_ error: MultipartError) -> Problem {
        switch error {
        case .notMultipart: Problem(.unsupportedMediaType, detail: error.reason)
        case .bodyTooLarge: Problem(.bodyTooLarge)
        case .tooManyParts: malformed("The form must not have more than one part.")
        default: malformed(error.reason)
        }
    }
}
