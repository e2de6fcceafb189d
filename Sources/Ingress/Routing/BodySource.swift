internal import Contracts

/// What the body of a message is made of.
enum BodySource: Sendable, Hashable {
    /// The request's JSON, byte for byte.
    case json
    /// Nothing: an empty object.
    case none
    /// The path's and the query's parameters, as an object.
    case parameters(ParameterTypes)
    /// The one file of a multipart form, byte for byte.
    case upload

    /// Parameters with the types that a message's schema gives them.
    static func parameters(of message: MessageDescriptor) -> BodySource {
        .parameters(ParameterTypes(message.request))
    }
}

/// Which parameters are whole numbers in JSON; all others are strings.
struct ParameterTypes: Sendable, Hashable {
    private let integers: [String]

    /// Takes the types from the shape of a request's JSON.
    init(_ shape: Shape?) {
        guard case .object(let object) = shape else {
            integers = []
            return
        }
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
        case .any, .number, .string, .array, .object: false
        }
    }
}
