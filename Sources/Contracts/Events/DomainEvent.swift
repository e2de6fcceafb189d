package import FoundationEssentials

/// The data of a domain event. A service publishes the event after it has committed the transaction that caused it.
package protocol DomainEvent: SchemaCodable, Hashable {
    /// The event type and routing key, for example `post.created`.
    static var type: String { get }
    /// The service that publishes the event.
    static var service: ServiceName { get }
    /// The id of the post, picture or account that the event is about.
    var subject: UUID { get }
}

extension DomainEvent {
    /// The CloudEvents attribute `source`, for example `/warren/post`.
    package static var source: String { "/warren/" + service.rawValue }
}

/// An event type of the queue contract, with its documentation.
package protocol ContractEvent: DomainEvent {
    /// The fact that the event reports, in one sentence.
    static var summary: String { get }
    /// The services whose event queues receive the event, by the bindings in `queues/definitions.json`.
    static var subscribers: [ServiceName] { get }
    /// Example data for the documentation.
    static var example: Self { get }
}

extension ContractEvent {
    /// The description of the event type.
    package static var descriptor: EventDescriptor {
        let event = CloudEvent(id: .example, time: .example, data: example)
        return EventDescriptor(
            type: type, service: service, summary: summary, subscribers: subscribers, data: schema.shape,
            envelope: EventEnvelope.shape(type: type, source: source, data: schema.shape),
            example: try? JSON.parse(event.jsonBytes(), limits: .trusted))
    }
}

/// The description of an event type as a value, from which its documentation is generated.
package struct EventDescriptor: Sendable, Hashable {
    /// The event type and routing key, for example `post.created`.
    package let type: String
    /// The service that publishes the event.
    package let service: ServiceName
    /// The fact that the event reports, in one sentence.
    package let summary: String
    /// The services whose event queues receive the event.
    package let subscribers: [ServiceName]
    /// The shape of the data.
    package let data: Shape
    /// The shape of the whole body: CloudEvents 1.0 with the data.
    package let envelope: Shape
    /// A valid body; `nil` if it exceeds ``JSONLimits/trusted``.
    package let example: JSON?

    /// Every event type.
    package static let types: [any ContractEvent.Type] = [
        AccountRegistered.self, PostCreated.self, PostDeleted.self, MediaUploaded.self, MediaUpdated.self,
        MediaDeleted.self,
    ]
    /// The descriptor of every event type.
    package static let all: [EventDescriptor] = types.map { $0.descriptor }
}
