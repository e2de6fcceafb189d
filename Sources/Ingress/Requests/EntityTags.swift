internal import ASCII
internal import Contracts

/// The `If-None-Match` and `If-Match` fields (RFC 9110, sections 13.1.1 and 13.1.2).
///
/// A compressed response has the tag of the resource with the suffix `-gzip`, because its bytes are different. A client
/// can send either tag.
enum EntityTags {
    private static let gzipSuffix = "-gzip\""

    /// Returns the tag of the compressed form of a response.
    ///
    /// - Parameter tag: the tag of the response, with its quotes.
    static func gzipped(_ tag: String) -> String { tag.dropLast() + gzipSuffix }

    /// Returns whether a field matches a tag by weak comparison. A malformed field matches no tag.
    ///
    /// - Parameters:
    ///   - tag: a tag in the form of the `ETag` field, with its quotes.
    ///   - field: tags separated by commas, or `*`, which matches every tag.
    static func contains(_ tag: String, in field: String) -> Bool {
        if isAny(field) { return true }
        return tags(of: field)?.contains { opaque($0) == opaque(tag) } ?? false
    }

    /// Returns the strong tags in `If-Match`. A tag with `-gzip` is returned with and without the suffix.
    ///
    /// Weak tags are left out, because they never match (RFC 9110, section 13.1.1). Tags longer than any resource's tag
    /// are left out, too.
    ///
    /// - Returns: `nil` for `*`, which every resource matches.
    /// - Throws: `malformed-request` if the field is malformed or has more than ``IfMatch/maximumCount`` tags.
    static func required(by field: String) throws(Problem) -> [String]? {
        if isAny(field) { return nil }
        guard let tags = tags(of: field) else {
            throw Problem(
                .malformedRequest, detail: "If-Match must be * or entity tags in quotes, separated by commas.")
        }
        guard tags.count <= IfMatch.maximumCount else {
            throw Problem(
                .malformedRequest, detail: "If-Match must have at most \(IfMatch.maximumCount) entity tags.")
        }
        return tags.filter { !$0.hasPrefix("W/") }.flatMap { tag in
            tag.hasSuffix(gzipSuffix) ? [tag, tag.dropLast(gzipSuffix.count) + "\""] : [tag]
        }.filter { $0.utf8.count <= IfMatch.maximumLength }
    }

    /// Whether a field is `*`, which stands for every version of a resource that exists.
    static func isAny(_ field: String) -> Bool { field.utf8.trimmingBlanks.elementsEqual("*".utf8) }

    /// Returns the tag without the prefix of weak tags.
    private static func opaque(_ tag: String) -> Substring { tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...] }

    /// Returns the tags in a field, each with its quotes and the prefix of weak tags; `nil` if the field is malformed.
    private static func tags(of field: String) -> [String]? {
        let bytes = Array(field.utf8)
        var rest = bytes[...]
        var tags: [String] = []
        while true {
            rest = rest.drop { $0.isBlank || $0 == UInt8(ascii: ",") }
            if rest.isEmpty { return tags }
            let start = rest.startIndex
            if rest.starts(with: "W/".utf8) { rest = rest.dropFirst(2) }
            guard rest.first == UInt8(ascii: "\""), let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "\"")) else {
                return nil
            }
            let inside = rest[(rest.startIndex + 1)..<end]
            guard inside.allSatisfy({ $0 == 0x21 || (0x23...0x7E).contains($0) || $0 >= 0x80 }) else { return nil }
            tags.append(String(decoding: bytes[start...end], as: UTF8.self))
            rest = rest[(end + 1)...].drop(while: \.isBlank)
            guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { return nil }
        }
    }
}
