internal import Contracts

/// The part of an HTTP request that becomes the body of the message.
enum BodySource: Sendable, Hashable {
    /// The JSON body, byte for byte.
    case json
    /// The JSON body, with the parameters of the path and the entity tags of `If-Match` as further members.
    case jsonAndPath(ParameterTypes)
    /// No part of the request. The message's body is an empty JSON object.
    case none
    /// The parameters of the path and the query, as a JSON object.
    case parameters(ParameterTypes)
    /// The content of the receipt token in the path.
    case receipt
    /// The file in a multipart form, byte for byte. Its description becomes a header.
    case upload

    /// Makes a source of parameters with the types that the message's schema declares.
    static func parameters(of message: MessageDescriptor) -> BodySource {
        .parameters(ParameterTypes(message.request))
    }

    /// Makes a source of a JSON body and the parameters of the path.
    static func jsonAndPath(of message: MessageDescriptor) -> BodySource {
        .jsonAndPath(ParameterTypes(message.request))
    }

    /// Whether the request has a JSON body.
    var hasJSONBody: Bool {
        switch self {
        case .json, .jsonAndPath: true
        case .none, .parameters, .receipt, .upload: false
        }
    }

    /// Whether the message has a field for the entity tags of `If-Match`.
    var hasEntityTags: Bool {
        switch self {
        case .parameters(let types), .jsonAndPath(let types): types.hasEntityTags
        case .none, .json, .receipt, .upload: false
        }
    }
}

/// The names of the parameters that become JSON integers. All other parameters become JSON strings.
struct ParameterTypes: Sendable, Hashable {
    private let integers: [String]
    /// Whether the message has a field for the entity tags of `If-Match`.
    let hasEntityTags: Bool

    /// - Parameter shape: the schema of the message's body.
    init(_ shape: Shape?) {
        guard case .object(let object) = shape else {
            integers = []
            hasEntityTags = false
            return
        }
        hasEntityTags = object.fields.contains { $0.name == IfMatch.name }
        integers = object.fields.filter { $0.shape.isInteger }.map(\.name)
    }

    func isInteger(_ name: String) -> Bool {
        integers.contains { $0 == name }
    }
}

extension Shape {
    fileprivate var isInteger: Bool {
        switch self {
        case .integer: true
        case .nullable(let shape), .described(let shape, _): shape.isInteger
        case .any, .boolean, .number, .string, .array, .object, .anyOf: false
        }
    }
}
