internal import Contracts
internal import Multipart

/// The file of a multipart form.
struct UploadedFile: Sendable, Hashable {
    var bytes: [UInt8]
    /// The image type that the client says it is, or bytes of any kind; the worker goes by the bytes.
    var contentType: String
}

/// A multipart form with one part named `file`, read as it comes.
struct UploadForm {
    private static let imageTypes = ["image/jpeg", "image/png", "image/gif", "image/webp"]
    private static let anyType = "application/octet-stream"

    private var parser: MultipartParser
    private var file: UploadedFile?

    /// Begins a form.
    ///
    /// - Parameters:
    ///   - contentType: the request's `Content-Type`.
    ///   - limit: the most bytes of the file.
    /// - Throws: `unsupported-media-type` for another type, `malformed-request` for a bad boundary.
    init(contentType: String?, limit: Int) throws(Problem) {
        do throws(MultipartFault) {
            let boundary = try MultipartBoundary(contentType: contentType ?? "")
            parser = MultipartParser(boundary: boundary, limits: MultipartLimits(bodyBytes: limit, parts: 2))
        } catch {
            throw Self.problem(error)
        }
    }

    /// Reads the next chunk.
    mutating func feed(_ chunk: [UInt8]) throws(Problem) {
        let events: [MultipartEvent]
        do throws(MultipartFault) {
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

    /// Ends the form.
    ///
    /// - Throws: `malformed-request` where it is cut off or has no file, `invalid` where the file is empty.
    mutating func finish() throws(Problem) -> UploadedFile {
        do throws(MultipartFault) {
            try parser.finish()
        } catch {
            throw Self.problem(error)
        }
        guard let file else { throw Self.malformed("The form has no part named file.") }
        guard !file.bytes.isEmpty else { throw Problem.invalid("/file", "must not be empty") }
        return file
    }

    private mutating func begin(_ part: MultipartPart) throws(Problem) {
        guard part.name == "file" else { throw Self.malformed("The form has a part of another name than file.") }
        guard file == nil else { throw Self.malformed("The form has more than one file.") }
        let type = part.contentType?.lowercased() ?? ""
        file = UploadedFile(bytes: [], contentType: Self.imageTypes.contains(type) ? type : Self.anyType)
    }

    private static func malformed(_ detail: String) -> Problem {
        Problem(.malformedRequest, detail: detail)
    }

    private static func problem(_ fault: MultipartFault) -> Problem {
        switch fault {
        case .notMultipart: Problem(.unsupportedMediaType, detail: fault.reason)
        case .bodyTooLarge: Problem(.bodyTooLarge)
        case .tooManyParts: malformed("The form has more than one part.")
        default: malformed(fault.reason)
        }
    }
}
