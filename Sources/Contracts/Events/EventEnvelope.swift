package import FoundationEssentials

/// A received event with its attributes decoded and its data still as JSON.
package struct EventEnvelope: Sendable, Hashable {
    package let id: UUID
    /// The service that published it, for example `/warren/post`.
    package let source: String
    package let type: String
    /// The id of the post, picture or account that the event is about.
    package let subject: String?
    package let time: Timestamp
    /// The data, which the schema of the event type describes.
    package let data: JSON

    /// Decodes the body of a message.
    ///
    /// - Throws: ``EventFault``, which no retry can repair.
    package static func decode(_ body: [UInt8]) throws(EventFault) -> EventEnvelope {
        let json: JSON
        do { json = try JSON.parse(body, limits: .trusted) } catch { throw .malformed(error) }
        do { return try schema.decode(json) } catch { throw .invalid(error) }
    }

    /// Decodes the data as one event type and ignores unknown fields.
    ///
    /// - Throws: ``EventFault``, also if the event is of another type.
    package func decode<Data: DomainEvent>(_ event: Data.Type = Data.self) throws(EventFault) -> CloudEvent<Data> {
        guard type == Data.type else { throw .unexpectedType(type) }
        do {
            return CloudEvent(id: id, time: time, data: try Data.schema.decode(data))
        } catch { throw .invalid(error) }
    }

    /// Returns the shape of the body of one event type, as a consumer accepts it.
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
                    object.fields[index].shape,
                    "The id of the post, picture or account that the event is about; always present.")
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

/// The reason why a message cannot be decoded as an event.
package enum EventFault: Error, Sendable, Hashable {
    case malformed(JSONFault)
    case invalid(ValidationError)
    case unexpectedType(String)
}
