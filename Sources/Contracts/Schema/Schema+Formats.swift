package import FoundationEssentials

extension Schema where Value == UUID {
    /// A UUID of any version in either case (RFC 9562); written in lower case.
    package static var uuid: Schema<UUID> {
        Schema(
            shape: .string(StringShape(patterns: [StringShape.uuid], format: "uuid")),
            read: { json, faults in
                if case .string(let text) = json, let value = UUID(text: text) { return value }
                faults.note("must be a UUID")
                return nil
            }, write: { $1.uuid($0) })
    }
}

extension Schema where Value == Timestamp {
    /// A date-time of RFC 3339; written in UTC with milliseconds.
    package static var timestamp: Schema {
        Schema(
            shape: .string(
                StringShape(
                    maximumLength: DateTimeReader.limit, patterns: [StringShape.dateTime], format: "date-time",
                    rules: ["must be a day that there is"])),
            read: { json, faults in
                if case .string(let text) = json, let value = Timestamp(text: text) { return value }
                faults.note("must be a date and time of RFC 3339")
                return nil
            }, write: { $1.timestamp($0) })
    }
}
