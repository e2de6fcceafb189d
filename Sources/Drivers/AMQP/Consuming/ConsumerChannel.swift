internal import Reactor

/// One subscription on one connection: its channel, the message that is coming in, and what is settled.
@Loop final class ConsumerChannel {
    struct Envelope {
        let tag: UInt64
        let isRedelivered: Bool
        let exchange: String
        let routingKey: String
    }

    let number: UInt16
    let queue: String
    let consumerTag: String
    let acknowledges: Bool
    /// Whether the broker has yet to answer basic.cancel, or has not been asked.
    var isConsuming = true

    private let handler: Subscription.Handler
    private weak var connection: Connection?
    private var ledger = AckLedger()
    private var assembly = MessageAssembly<Envelope>()
    private var exchanges = TextCache()
    private var routingKeys = TextCache()

    init(number: UInt16, ready: Ready, subscription: Subscription, connection: Connection) {
        self.number = number
        queue = ready.queue
        consumerTag = ready.consumerTag
        if case .queue = subscription.source { acknowledges = true } else { acknowledges = false }
        handler = subscription.handler
        self.connection = connection
    }

    /// What the set-up found out about a subscription.
    struct Ready: Sendable {
        let queue: String
        let consumerTag: String
    }

    /// How many deliveries are to be settled yet.
    var openCount: Int { ledger.openCount }

    /// Whether deliveries can be settled yet.
    var isOpen: Bool { connection?.isOpen ?? false }

    // MARK: Settling

    func ack(_ tag: UInt64) -> Bool {
        guard let connection, connection.isOpen else { return false }
        return ledger.settle(tag)
    }

    func reject(_ tag: UInt64, requeue: Bool) -> Bool {
        guard let connection, connection.isOpen, ledger.remove(tag) else { return false }
        connection.output.appendReject(tag, requeue: requeue, channel: number)
        return true
    }

    /// Writes the acknowledgements that are due.
    func flushAcks() {
        guard ledger.isDirty, let connection, connection.isOpen else { return }
        ledger.flush { connection.output.appendAck($0.tag, multiple: $0.multiple, channel: number) }
    }

    // MARK: Receiving

    func receiveDeliver(
        tag: UInt64, isRedelivered: Bool, exchange: UnsafeRawBufferPointer, routingKey: UnsafeRawBufferPointer
    ) {
        let envelope = Envelope(
            tag: tag, isRedelivered: isRedelivered, exchange: exchanges.text(of: exchange),
            routingKey: routingKeys.text(of: routingKey))
        if !assembly.begin(envelope) { connection?.fail(.malformed, "a delivery within another") }
    }

    func receiveHeader(_ properties: Properties, bodySize: UInt64) {
        take(assembly.header(properties, bodySize: bodySize))
    }

    func receiveBody(_ bytes: UnsafeRawBufferPointer) {
        take(assembly.body(bytes))
    }

    private func take(_ step: MessageAssembly<Envelope>.Step) {
        switch step {
        case .incomplete: break
        case .malformed(let why): connection?.fail(.malformed, why)
        case .complete(let message):
            if acknowledges, !ledger.deliver(message.envelope.tag) {
                connection?.fail(.malformed, "a delivery tag out of order")
                return
            }
            handler(Delivery(message.envelope, properties: message.properties, body: message.body, channel: self))
        }
    }
}

/// The last text that came in a place: mostly the next one is the same, and need not be made anew.
struct TextCache {
    private var text = ""

    mutating func text(of bytes: UnsafeRawBufferPointer) -> String {
        let isSame = text.utf8.withContiguousStorageIfAvailable { $0.elementsEqual(bytes) } ?? false
        if !isSame { text = String(decoding: bytes, as: UTF8.self) }
        return text
    }
}
