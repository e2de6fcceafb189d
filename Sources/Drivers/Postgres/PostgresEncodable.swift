package import FoundationEssentials

/// A value that can be a parameter of a statement.
package protocol PostgresEncodable: Sendable {
    /// The id of the type that the parameter is declared as; 0 lets the server infer it from where the parameter stands.
    static var postgresType: UInt32 { get }
    /// Appends the value as one parameter.
    func encode(into buffer: inout ParameterBuffer)
}

/// Sent as text with its type inferred, so that it suits `text`, `varchar`, `jsonb`, enums and whatever else reads text.
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

extension PostgresTimestamp: PostgresEncodable {
    package static var postgresType: UInt32 { TypeID.timestamptz }

    package func encode(into buffer: inout ParameterBuffer) {
        buffer.appendInteger(sincePostgresEpoch, type: TypeID.timestamptz)
    }

    /// Microseconds since 2000; the ends of the range become PostgreSQL's `-infinity` and `infinity`.
    var sincePostgresEpoch: Int64 {
        if microseconds == .max { return .max }
        let (difference, overflow) = microseconds.subtractingReportingOverflow(Self.postgresEpoch)
        return overflow ? .min : difference
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
