package import FoundationEssentials

extension Schema where Value == UUID {
    /// A UUID of any version (RFC 9562), in upper or lower case. It is written in lower case.
    package static var uuid: Schema<UUID> {
        Schema(
            shape: .string(StringShape(patterns: [StringShape.uuid], format: "uuid")),
            read: { json, faults in
                if case .string(let text) = json, let value = UUID(text: text) { return value }
                faults.add("must be a UUID")
                return nil
            }, write: { $1.uuid($0) })
    }
}

extension Schema where Value == Timestamp {
    /// An RFC 3339 date-time. It is written in UTC with milliseconds.
    package static var timestamp: Schema {
        Schema(
            shape: .string(
                StringShape(
                    maximumLength: DateTimeReader.limit, patterns: [StringShape.dateTime], format: "date-time",
                    rules: ["must be an existing date"])),
            read: { json, faults in
                if case .string(let text) = json, let value = Timestamp(text: text) { return value }
                faults.add("must be an RFC 3339 date and time")
                return nil
            }, write: { $1.timestamp($0) })
    }
}
