package import FoundationEssentials

/// The data of a domain event: something that happened, told by the service that it happened to.
package protocol DomainEvent: SchemaCodable, Hashable {
    /// The event type and routing key: `post.created`.
    static var type: String { get }
    /// The service that publishes it.
    static var service: ServiceName { get }
    /// The thing that it happened to.
    var subject: UUID { get }
}

extension DomainEvent {
    /// The `source` of CloudEvents: `/warren/post`.
    package static var source: String { "/warren/" + service.rawValue }

    /// Where the kind of event stands in the documentation.
    package static var descriptor: EventDescriptor {
        EventDescriptor(
            type: type, service: service, data: schema.shape,
            envelope: EventEnvelope.shape(type: type, source: source, data: schema.shape))
    }
}

/// An event type without its Swift type.
package struct EventDescriptor: Sendable, Hashable {
    package let type: String
    package let service: ServiceName
    package let data: Shape
    /// The whole body: CloudEvents 1.0 around the data.
    package let envelope: Shape

    /// Every event type.
    package static let all = [
        AccountRegistered.descriptor, PostCreated.descriptor, PostDeleted.descriptor, MediaUploaded.descriptor,
        MediaDeleted.descriptor,
    ]
}
