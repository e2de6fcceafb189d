extension JSON {
    /// Returns the value as UTF-8 without white space.
    package func serialized() -> [UInt8] {
        JSONWriter.bytes { write(to: &$0) }
    }

    /// Appends the value to a writer.
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .integer(let value): writer.integer(value)
        case .double(let value): writer.double(value)
        case .string(let value): writer.string(value)
        case .array(let elements): writer.array(of: elements) { $1.write(to: &$0) }
        case .object(let object):
            writer.beginObject()
            for member in object.members {
                writer.name(member.name)
                member.value.write(to: &writer)
            }
            writer.endObject()
        }
    }
}
