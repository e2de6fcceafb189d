package import FoundationEssentials

/// A domain event to publish: CloudEvents 1.0 in structured JSON.
package struct CloudEvent<Data: DomainEvent>: Sendable, Hashable {
    /// Also the message id, by which consumers recognise a redelivery.
    package let id: UUID
    /// The time at which it happened.
    package let time: Timestamp
    /// The data of the event.
    package let data: Data

    package init(id: UUID = .v7(), time: Timestamp = .now(), data: Data) {
        self.id = id
        self.time = time
        self.data = data
    }

    /// Returns the body of the message.
    package func jsonBytes() -> [UInt8] {
        JSONWriter.bytes(capacity: 1024) { writer in
            writer.object {
                $0.name("specversion")
                $0.string("1.0")
                $0.name("id")
                $0.uuid(id)
                $0.name("source")
                $0.string(Data.source)
                $0.name("type")
                $0.string(Data.type)
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
