internal import CRabbitMQ

extension Headers {
    /// Copies a table of rabbitmq-c.
    init(_ table: amqp_table_t, depth: Int = 0) {
        let entries = UnsafeBufferPointer(
            start: table.entries, count: table.entries == nil ? 0 : Int(table.num_entries))
        self.init(entries.map { Entry(name: $0.key.text, value: FieldValue($0.value, depth: depth + 1)) })
    }
}

extension FieldValue {
    /// Copies a value of rabbitmq-c. The value's `kind` determines which member of the union is valid.
    init(_ field: amqp_field_value_t, depth: Int) {
        let value = field.value
        switch UnicodeScalar(field.kind) {
        case "S": self = value.bytes.validText.map(FieldValue.string) ?? .bytes([UInt8](value.bytes.buffer))
        case "x": self = .bytes([UInt8](value.bytes.buffer))
        case "t": self = .bool(value.boolean != 0)
        case "b": self = .int64(Int64(value.i8))
        case "B": self = .int64(Int64(value.u8))
        case "s": self = .int64(Int64(value.i16))
        case "u": self = .int64(Int64(value.u16))
        case "I": self = .int64(Int64(value.i32))
        case "i": self = .int64(Int64(value.u32))
        case "l": self = .int64(value.i64)
        case "L": self = .int64(Int64(clamping: value.u64))
        case "f": self = .double(Double(value.f32))
        case "d": self = .double(value.f64)
        case "D": self = .decimal(scale: value.decimal.decimals, value: value.decimal.value)
        case "T": self = .timestamp(value.u64)
        case "F" where depth < Self.maximumDepth: self = .table(Headers(value.table, depth: depth))
        case "A" where depth < Self.maximumDepth:
            let array = value.array
            let count = array.entries == nil ? 0 : Int(array.num_entries)
            let entries = UnsafeBufferPointer(start: array.entries, count: count)
            self = .array(entries.map { FieldValue($0, depth: depth + 1) })
        default: self = .void
        }
    }
}
