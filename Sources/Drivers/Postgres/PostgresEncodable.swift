package import FoundationEssentials

/// A type whose values can be parameters of statements.
package protocol PostgresEncodable: Sendable {
    /// The id of the parameter's type. 0 lets the server infer the type from the statement.
    static var postgresType: UInt32 { get }
    /// Appends the value as one parameter.
    func encode(into buffer: inout ParameterBuffer)
}

/// A string is sent in text format, and the server infers its type. It can therefore stand for a `text`, a `varchar`, a
/// `jsonb` or an enum, for example.
extension String: PostgresEncodable {
    package static var postgresType: UInt32 { TypeID.inferred }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendText(self)
    }
}

extension Int: PostgresEncodable {
    package static var postgresType: UInt32 { TypeID.int8 }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendInteger(Int64(self), type: TypeID.int8)
    }
}

extension Int64: PostgresEncodable {
    package static var postgresType: UInt32 { TypeID.int8 }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendInteger(self, type: TypeID.int8)
    }
}

extension Int32: PostgresEncodable {
    package static var postgresType: UInt32 { TypeID.int4 }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendInteger(self, type: TypeID.int4)
    }
}

extension Int16: PostgresEncodable {
    package static var postgresType: UInt32 { TypeID.int2 }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendInteger(self, type: TypeID.int2)
    }
}

extension Bool: PostgresEncodable {
    package static var postgresType: UInt32 { TypeID.bool }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendInteger(self ? 1 as UInt8 : 0, type: TypeID.bool)
    }
}

extension Double: PostgresEncodable {
    package static var postgresType: UInt32 { TypeID.float8 }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendInteger(bitPattern, type: TypeID.float8)
    }
}

extension Float: PostgresEncodable {
    package static var postgresType: UInt32 { TypeID.float4 }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendInteger(bitPattern, type: TypeID.float4)
    }
}

extension UUID: PostgresEncodable {
    package static var postgresType: UInt32 { TypeID.uuid }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendValue(type: TypeID.uuid) { appendElement(to: &$0) }
    }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var postgresType: UInt32 { Wrapped.postgresType }

    package func encode(into buffer: inout ParameterBuffer) {
        switch self {
        case .some(let value): value.encode(into: &buffer)
        case .none: buffer.appendNull(type: Wrapped.postgresType)
        }
    }
}
