import ASCII
import HTTPTypes
import Hummingbird
import Multipart
import NIOCore

/// The parameters and the file of an API request.
struct RequestForm: Sendable {
    /// An uploaded file. If it is too large, only its size is kept.
    struct File: Sendable {
        let name: String
        var bytes: [UInt8] = []
        var size = 0
    }

    /// The size limit of a file, in bytes.
    static let maximumFileSize = 10 << 20
    /// The size limit of a request body, in bytes.
    static let maximumBodySize = 100 << 20
    /// The size limit of all parameters together, in bytes.
    static let maximumParameterSize = 256 << 10

    private(set) var parameters: [String: String] = [:]
    private(set) var file: File?
    private var parameterBytes = 0
    private var current: (part: MultipartPart, value: [UInt8])?

    /// Reads the body of a request, which is either multipart or URL-encoded.
    init(_ request: Request) async throws {
        let contentType = request.headers[.contentType] ?? ""
        if contentType.lowercased().hasPrefix("application/x-www-form-urlencoded") {
            try parse(urlEncoded: try await request.bytes(upTo: Self.maximumParameterSize))
            return
        }
        do {
            var parser = MultipartParser(
                boundary: try MultipartBoundary(contentType: contentType),
                limits: MultipartLimits(bodyBytes: Self.maximumBodySize, parts: 128))
            for try await buffer in request.body {
                for event in try parser.feed(Array(buffer: buffer)) { try take(event) }
            }
            try parser.finish()
        } catch let error as MultipartError {
            throw APIError(error == .bodyTooLarge ? 413 : 400, error.reason)
        }
    }

    private mutating func take(_ event: MultipartEvent) throws(APIError) {
        switch event {
        case .partHeaders(let part):
            if part.name == "file", let name = part.filename {
                guard file == nil else { throw APIError(400, "Duplicate parameter - file") }
                file = File(name: name)
            }
            current = (part, [])
        case .bodyBytes(let bytes):
            if current?.part.filename != nil, current?.part.name == "file" {
                keepFileBytes(bytes)
            } else {
                try countParameterBytes(bytes.count)
                current?.value += bytes
            }
        case .partEnd:
            if let current, current.part.name != "file" || current.part.filename == nil {
                try add(current.part.name, current.value)
            }
            current = nil
        case .end:
            break
        }
    }

    private mutating func keepFileBytes(_ bytes: ArraySlice<UInt8>) {
        guard var file else { return }
        // Releases the second reference to the bytes, because appending would otherwise copy all of them.
        self.file = nil
        file.size += bytes.count
        if file.size <= Self.maximumFileSize { file.bytes += bytes } else { file.bytes = [] }
        self.file = file
    }

    private mutating func countParameterBytes(_ count: Int) throws(APIError) {
        parameterBytes += count
        guard parameterBytes <= Self.maximumParameterSize else {
            throw APIError(400, "The parameters must not exceed \(Self.maximumParameterSize) bytes")
        }
    }

    private mutating func add(_ name: String, _ value: [UInt8]) throws(APIError) {
        guard let text = String(validating: value, as: UTF8.self) else {
            throw APIError(400, "A parameter is not UTF-8")
        }
        guard parameters.updateValue(text, forKey: name) == nil else {
            throw APIError(400, "Duplicate parameter - \(name)")
        }
    }

    private mutating func parse(urlEncoded bytes: [UInt8]) throws(APIError) {
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let texts = halves.map { PercentEncoding.decode($0, plusIsSpace: true) }
            guard let name = texts.first ?? nil, let value = texts.count > 1 ? texts[1] : "" else {
                throw APIError(400, "The parameters are not correctly percent-encoded UTF-8")
            }
            try add(name, Array(value.utf8))
        }
    }
}

extension Request {
    /// Reads the whole body.
    ///
    /// - Throws: an ``APIError`` with status 413 if the body is larger than the limit.
    func bytes(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await buffer in body {
            guard bytes.count + buffer.readableBytes <= limit else { throw APIError(413, "The body is too large") }
            bytes += buffer.readableBytesView
        }
        return bytes
    }

    /// Reads the body to its end and discards it.
    func drain() async throws {
        var size = 0
        for try await buffer in body {
            size += buffer.readableBytes
            guard size <= RequestForm.maximumBodySize else { throw APIError(413, "The body is too large") }
        }
    }
}
