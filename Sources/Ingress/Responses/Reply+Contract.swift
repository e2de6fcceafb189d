internal import ASCII
internal import Contracts
internal import WorkerKit

extension Reply {
    /// The maximum value of a `Retry-After` field, in seconds.
    private static let maximumRetryAfter = 86_400

    /// Whether the contract allows this reply to a message type: the successful reply of the type, or a problem.
    func isAllowed(for type: MessageDescriptor) -> Bool {
        guard retryAfter.map({ (0...Self.maximumRetryAfter).contains($0) }) ?? true else { return false }
        if status >= 400 { return contentType == ContentType.problem && location == nil && etag == nil }
        guard status == type.status, type.reply == nil ? body.isEmpty : contentType == ContentType.json,
            etag.map({ $0.isEntityTag }) ?? true
        else { return false }
        // The resource that a request has created is a resource of this API.
        return location.map { status == 201 && $0.isPathOfAPI } ?? true
    }
}

extension String {
    /// Whether the text is an entity tag, such as `"5f3a"` (RFC 9110, section 8.8.3).
    fileprivate var isEntityTag: Bool {
        let opaque = (hasPrefix("W/") ? dropFirst(2) : self[...]).utf8
        guard opaque.count >= 2, opaque.first == UInt8(ascii: "\""), opaque.last == UInt8(ascii: "\"") else {
            return false
        }
        return opaque.count <= 256
            && opaque.dropFirst().dropLast().allSatisfy { $0 == 0x21 || (0x23...0x7E).contains($0) }
    }

    /// Whether the text is the path of a resource, such as `/v1/posts/0190…`.
    fileprivate var isPathOfAPI: Bool {
        hasPrefix("/v1/") && utf8.count <= 256
            && utf8.allSatisfy { $0.isASCIILetterOrDigit || "/-._~".utf8.contains($0) }
    }
}
