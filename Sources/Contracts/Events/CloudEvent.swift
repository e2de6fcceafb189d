package import FoundationEssentials

/// A domain event with its CloudEvents 1.0 attributes.
package struct CloudEvent<Payload: DomainEvent>: Sendable, Hashable {
    /// The event's id. It is also the message id, by which consumers recognize a redelivery.
    package let id: UUID
    /// The time of the event.
    package let time: Timestamp
    package let data: Payload

    package init(id: UUID = .v7(), time: Timestamp = .now(), data: Payload) {
        self.id = id
        self.time = time
        self.data = data
    }

    /// Returns the body of the message: the event in the structured JSON format of CloudEvents.
    package func jsonBytes() -> [UInt8] {
        JSONWriter.bytes(capacity: 1024) { writer in
            writer.object {
                $0.name("specversion")
                $0.string("1.0")
                $0.name("id")
                $0.uuid(id)
                $0.name("source")
                $0.string(Payload.source)
                $0.name("type")
                $0.string(Payload.type)
                $0.name("subject")
                $0.uuid(data.subject)
                $0.name("time")
                $0.timestamp(time)
                $0.name("datacontenttype")
                $0.string(ContentType.json)
                $0.name("data")
                data.write(to: &$0)
            }
        }
    }
}
