package import FoundationEssentials

/// An event as it came in: its attributes read, its data not yet.
package struct EventEnvelope: Sendable, Hashable {
    package let id: UUID
    /// Who published it: `/warren/post`.
    package let source: String
    package let type: String
    /// What it happened to.
    package let subject: String?
    package let time: Timestamp
    /// What happened, by the type's own schema.
    package let data: JSON

    /// Reads the body of an event's message.
    ///
    /// - Throws: ``EventFault``: what no retry can mend.
    package static func decode(_ body: [UInt8]) throws(EventFault) -> EventEnvelope {
        let json: JSON
        do { json = try JSON.parse(body, limits: .trusted) } catch { throw .malformed(error) }
        do { return try schema.decode(json) } catch { throw .invalid(error) }
    }

    /// Reads the data as that of one kind of event; fields that are not known are passed over.
    ///
    /// - Throws: ``EventFault``, also where the event is of another type.
    package func decode<Data: DomainEvent>(_ event: Data.Type = Data.self) throws(EventFault) -> CloudEvent<Data> {
        guard type == Data.type else { throw .unexpectedType(type) }
        do {
            return CloudEvent(id: id, time: time, data: try Data.schema.decode(data))
        } catch { throw .invalid(error) }
    }

    /// What the body of one type of event is, as its readers take it.
    static func shape(type: String, source: String, data: Shape) -> Shape {
        guard case .object(var object) = schema.shape else { return schema.shape }
        for index in object.fields.indices {
            switch object.fields[index].name {
            case "type": object.fields[index].shape = .string(StringShape(values: [type]))
            case "data": object.fields[index].shape = data
            case "source":
                object.fields[index].shape = .described(object.fields[index].shape, "Always \(source); not checked.")
            case "subject":
                object.fields[index].shape = .described(
                    object.fields[index].shape, "The id of what it happened to; always there.")
            default: break
            }
        }
        object.fields.append(
            FieldShape(
                name: "datacontenttype", shape: .described(.any, "Always \(ContentType.json); not checked."),
                isRequired: false))
        return .object(object)
    }

    private static let schema = Schema<EventEnvelope>.object(
        "CloudEvent", unknownFields: .ignored,
        field("specversion", { _ in ConstantString() }, .constant("1.0")),
        field("id", \.id, .uuid),
        field("source", \.source, .string(1...1024)),
        field("type", \.type, .string(1...255)),
        optionalField("subject", \.subject, .string(1...1024)),
        field("time", \.time, .timestamp),
        field("data", \.data, .any)
    ) { _, id, source, type, subject, time, data in
        EventEnvelope(id: id, source: source, type: type, subject: subject, time: time, data: data)
    }
}

/// Why a message is no event that its reader can use.
package enum EventFault: Error, Sendable, Hashable {
    case malformed(JSONFault)
    case invalid(ValidationError)
    case unexpectedType(String)
}
