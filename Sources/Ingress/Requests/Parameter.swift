internal import ASCII
internal import Contracts

/// A parameter of the path or the query, percent-decoded.
struct Parameter: Sendable, Hashable {
    let name: String
    let value: String
}

/// The query of a request target.
enum QueryString {
    /// The maximum number of parameters in a query. No operation has as many parameters.
    static let maximumCount = 16

    /// Parses `name=value&name=value`. A plus sign decodes to a space, as in HTML forms (URL Standard, section 5.1).
    ///
    /// - Returns: the parameters in their order.
    /// - Throws: `malformed-request` if the query has more than ``maximumCount`` parameters, or if a part is not
    ///   percent-encoded UTF-8.
    static func parse(_ query: Substring) throws(Problem) -> [Parameter] {
        let parts = query.utf8.split(separator: UInt8(ascii: "&"), maxSplits: maximumCount)
        guard parts.count <= maximumCount else {
            throw Problem(.malformedRequest, detail: "The query must have at most \(maximumCount) parameters.")
        }
        var parameters: [Parameter] = []
        for part in parts {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            guard let name = PercentEncoding.decode(part[..<equals], plusIsSpace: true),
                let value = PercentEncoding.decode(part[equals...].dropFirst(), plusIsSpace: true)
            else { throw Problem(.malformedRequest, detail: "The query must be percent-encoded UTF-8.") }
            parameters.append(Parameter(name: name, value: value))
        }
        return parameters
    }
}

extension [Parameter] {
    /// Encodes the parameters as a JSON object, with the types that the message's schema declares.
    ///
    /// A value that is not an integer stays a string, and an unknown name is kept. The worker validates the object, and
    /// its problem names the invalid parameter.
    ///
    /// - Parameter entityTags: the tags that `If-Match` requires; `nil` if the message has no field for them, or if
    ///   every tag is allowed.
    /// - Throws: `malformed-request` if a name occurs twice.
    func json(_ types: ParameterTypes, entityTags: [String]? = nil) throws(Problem) -> [UInt8] {
        var writer = JSONWriter(capacity: 96)
        writer.beginObject()
        for (index, parameter) in enumerated() {
            let name = parameter.name
            guard !self[..<index].contains(where: { $0.name == name }) else {
                throw Problem(.malformedRequest, detail: "Each parameter must occur at most once.")
            }
            writer.name(name)
            if types.isInteger(name), let number = parameter.value.jsonInteger {
                writer.integer(number)
            } else {
                writer.string(parameter.value)
            }
        }
        if let entityTags {
            guard !contains(where: { $0.name == IfMatch.name }) else {
                throw Problem(.malformedRequest, detail: "The entity tags must be in the field If-Match only.")
            }
            writer.name(IfMatch.name)
            writer.array(of: entityTags) { $0.string($1) }
        }
        writer.endObject()
        return writer.bytes
    }
}

/// The members that a request adds to the JSON object in its body: the parameters of the path, and the entity tags of
/// `If-Match` if the message has a field for them.
struct AddedMembers: Sendable, Hashable {
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    let parameters: [Parameter]
    /// The types of the parameters, and whether the message has a field for entity tags.
    let types: ParameterTypes
    /// The tags that `If-Match` requires; `nil` if every tag is allowed.
    let entityTags: [String]?

    /// Adds the members at the end of a JSON object.
    ///
    /// The object is not decoded. Text that is not an object is returned unchanged, so that the worker refuses it. The
    /// worker also refuses an object that has a member with an added name, because its names must be unique. Therefore
    /// the field for entity tags is always added, as `null` if every tag is allowed: a client must not set it.
    ///
    /// - Throws: `malformed-request` if a name occurs twice.
    func added(to object: [UInt8]) throws(Problem) -> [UInt8] {
        let text = object.starts(with: Self.byteOrderMark) ? object.dropFirst(Self.byteOrderMark.count) : object[...]
        guard let start = text.firstIndex(where: { !$0.isJSONSpace }), object[start] == UInt8(ascii: "{"),
            let end = object.lastIndex(where: { !$0.isJSONSpace }), object[end] == UInt8(ascii: "}"),
            let last = object[..<end].lastIndex(where: { !$0.isJSONSpace })
        else { return object }
        var body = [UInt8](object[..<end])
        if last != start { body.append(UInt8(ascii: ",")) }
        var members = try parameters.json(types, entityTags: entityTags)
        if types.hasEntityTags, entityTags == nil {
            members.removeLast()
            if !parameters.isEmpty { members.append(UInt8(ascii: ",")) }
            members += Array("\"\(IfMatch.name)\":null}".utf8)
        }
        return body + members.dropFirst()
    }
}

extension UInt8 {
    /// Whether the byte is white space between the tokens of JSON (RFC 8259, section 2).
    fileprivate var isJSONSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}

extension String {
    /// The number if the text is the canonical form of an integer in JSON, otherwise `nil`.
    fileprivate var jsonInteger: Int64? {
        guard utf8.count <= 20, let number = Int64(self), String(number) == self else { return nil }
        return number
    }
}
