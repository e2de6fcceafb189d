package import FoundationEssentials

/// A received event with its attributes decoded and its data still as JSON.
package struct EventEnvelope: Sendable, Hashable {
    package let id: UUID
    /// The service that published the event, for example `/warren/post`.
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
    /// - Throws: ``EventFault``; ``EventFault/unexpectedType(_:)`` if the event is of another type.
    package func decode<Payload: DomainEvent>(
        _ event: Payload.Type = Payload.self
    ) throws(EventFault) -> CloudEvent<Payload> {
        guard type == Payload.type else { throw .unexpectedType(type) }
        do {
            return CloudEvent(id: id, time: time, data: try Payload.schema.decode(data))
        } catch { throw .invalid(error) }
    }

    /// Returns the shape (the JSON that a schema accepts) of the messages of one event type, as consumers should accept
    /// them.
    static func shape(type: String, source: String, data: Shape) -> Shape {
        guard case .object(var object) = schema.shape else { return schema.shape }
        for index in object.fields.indices {
            switch object.fields[index].name {
            case "type": object.fields[index].shape = .string(StringShape(values: [type]))
            case "data": object.fields[index].shape = data
            case "source":
                object.fields[index].shape = .described(
                    object.fields[index].shape,
                    "Warren always sends \(source), but this schema also accepts other values.")
            case "subject":
                object.fields[index].shape = .described(
                    object.fields[index].shape,
                    "The id of the post, picture or account that the event is about. Warren always sends it, but this "
                        + "schema does not require it.")
            default: break
            }
        }
        object.fields.append(
            FieldShape(
                name: "datacontenttype",
                shape: .described(
                    .any, "Warren always sends \(ContentType.json), but this schema also accepts other values."),
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
    /// The body is not valid JSON.
    case malformed(JSONFault)
    /// The body violates the schema of the envelope or of the data.
    case invalid(ValidationError)
    /// The event has this type, which is not the expected type.
    case unexpectedType(String)
}
