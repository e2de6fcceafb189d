package import Logging
package import Reactor

/// Publishes on a connection of its own, which it makes anew for as long as it runs.
///
/// Two channels: on one publishes are confirmed by the broker, on the other nobody waits. What is published during a
/// turn of the loop leaves in one piece at its end. Nothing here waits for the socket: where too much is under way,
/// publishing throws ``PublishError/unavailable``.
@Loop package final class Publisher {
    /// Bounds on what is under way.
    package struct Options: Sendable {
        /// How many publishes may await their confirm.
        package var maximumOutstanding = 8192
        /// How many bytes may wait for the socket, a single message aside.
        package var maximumBuffered = 32 * 1024 * 1024
        /// The largest body; RabbitMQ's own limit is `max_message_size`, past which it closes the channel.
        package var maximumBody = 16 * 1024 * 1024

        /// Makes the bounds that suit a daemon.
        package init() {}
    }

    /// How a confirmed publish ended; called once, on the loop.
    package typealias Settled = @Loop (Result<Void, PublishError>) -> Void

    /// Whether publishes are taken now.
    package private(set) var availability = Availability.connecting {
        didSet { availabilityChanged() }
    }
    /// How many publishes await their confirm.
    package var outstandingCount: Int { confirms.count }
    /// How many messages that nobody waited for came back as unroutable.
    package private(set) var returnedCount = 0

    let plainChannel: UInt16 = 1
    let confirmChannel: UInt16 = 2
    let options: Options
    private(set) var connection: Connection?
    var confirms = ConfirmTracker<Settled>()
    private let log: Logger
    private let life: Life
    private var usable = Signal()
    private var idle: Signal?
    private var plainReturn = MessageAssembly<Returned>()
    private var confirmedReturn = MessageAssembly<Returned>()
    private var settlements: [ConfirmTracker<Settled>.Settlement] = []

    /// The method that begins a returned message.
    struct Returned {
        let code: UInt16
        let text: String
        let exchange: String
        let routingKey: String
    }

    /// Makes a publisher, which connects once it runs.
    ///
    /// - Parameters:
    ///   - address: the broker.
    ///   - name: what the broker shows as the connection's name.
    ///   - log: is told of connections made and lost.
    ///   - options: bounds on what is under way.
    package init(address: BrokerAddress, name: String, log: Logger, options: Options = Options()) {
        self.options = options
        self.log = log
        life = Life(address: address, name: name, log: log)
    }

    /// Connects, and connects anew after each loss, until ``close(within:)`` or until the task is cancelled.
    ///
    /// A second call, or one after the close, returns at once.
    package func run() async {
        let (plain, confirmed) = (plainChannel, confirmChannel)
        await life.run { setUp throws(BrokerError) in
            try setUp.openChannel(plain)
            try setUp.openChannel(confirmed)
            try setUp.selectConfirms(confirmed)
        } attach: { (handle, _) throws(BrokerError) in
            let connection = try Connection(handle, owner: self)
            self.connection = connection
            if self.availability != .closed { self.availability = .available }
            connection.start()
            return connection
        }
        if life.isStopped { availability = .closed }
    }

    /// Takes no more publishes, waits for the confirms of those under way, and closes.
    ///
    /// - Parameter limit: how long to wait at most; publishes unconfirmed then end as ``PublishError/outcomeUnknown``.
    package func close(within limit: Duration = .seconds(5)) async {
        availability = .closed
        if confirms.count > 0 {
            let idle = idle ?? Signal()
            self.idle = idle
            _ = await idle.waitThroughCancellation(within: limit)
        }
        await life.stop()
    }

    /// Waits until publishes are taken.
    ///
    /// - Returns: whether they are; false once the limit has passed, the publisher is closed or the task cancelled.
    package func waitUntilAvailable(within limit: Duration) async -> Bool {
        if availability == .available { return true }
        if availability == .closed { return false }
        _ = await usable.wait(within: limit)
        return availability == .available
    }

    private func availabilityChanged() {
        switch availability {
        case .available, .closed: usable.fire()
        case .connecting, .blocked:
            if usable.isFired { usable = Signal() }
        }
    }
}

extension Publisher: ConnectionOwner {
    func received(_ method: IncomingMethod, on channel: UInt16) {
        switch method {
        case .ack(let tag, let multiple): confirm(tag, multiple: multiple, isAck: true)
        case .nack(let tag, let multiple): confirm(tag, multiple: multiple, isAck: false)
        case .returned(let code, let text, let exchange, let routingKey):
            let returned = Returned(code: code, text: text, exchange: exchange, routingKey: routingKey)
            let isInOrder = channel == plainChannel ? plainReturn.begin(returned) : confirmedReturn.begin(returned)
            if !isInOrder { connection?.fail(.malformed, "a returned message within another") }
        case .blocked(let reason):
            log.warning("broker blocks publishers", metadata: ["reason": "\(reason)"])
            if availability != .closed { availability = .blocked(reason: reason) }
        case .unblocked:
            log.notice("broker takes publishes again")
            if availability != .closed { availability = .available }
        default: break
        }
    }

    func receivedHeader(_ properties: Properties, bodySize: UInt64, on channel: UInt16) {
        let isPlain = channel == plainChannel
        take(
            isPlain
                ? plainReturn.header(properties, bodySize: bodySize)
                : confirmedReturn.header(properties, bodySize: bodySize), isPlain: isPlain)
    }

    func receivedBody(_ bytes: UnsafeRawBufferPointer, on channel: UInt16) {
        let isPlain = channel == plainChannel
        take(isPlain ? plainReturn.body(bytes) : confirmedReturn.body(bytes), isPlain: isPlain)
    }

    private func take(_ step: MessageAssembly<Returned>.Step, isPlain: Bool) {
        switch step {
        case .incomplete: break
        case .malformed(let why): connection?.fail(.malformed, why)
        case .complete(let message):
            let returned = message.envelope
            guard isPlain else {
                let identity = ConfirmTracker<Settled>.Identity(
                    exchange: returned.exchange, routingKey: returned.routingKey,
                    messageID: message.properties.messageID, correlationID: message.properties.correlationID)
                if !confirms.returned(identity, code: returned.code, text: returned.text) {
                    connection?.fail(.malformed, "a returned message that was not published")
                }
                return
            }
            returnedCount += 1
            log.debug(
                "message returned",
                metadata: ["code": "\(returned.code)", "text": "\(returned.text)", "exchange": "\(returned.exchange)"])
        }
    }

    private func confirm(_ tag: UInt64, multiple: Bool, isAck: Bool) {
        // What is told of its publish may publish again: the list is out of the way while it is gone through.
        var settled: [ConfirmTracker<Settled>.Settlement] = []
        swap(&settled, &settlements)
        confirms.confirm(tag, multiple: multiple, isAck: isAck, into: &settled)
        for settlement in settled { settlement.token(settlement.result) }
        settled.removeAll(keepingCapacity: settled.count < 1024)
        swap(&settled, &settlements)
        if confirms.count == 0 { idle?.fire() }
    }

    func turnEnds() {}

    func ended(_ error: BrokerError?) {
        connection = nil
        plainReturn = MessageAssembly()
        confirmedReturn = MessageAssembly()
        if availability != .closed { availability = .connecting }
        for settled in confirms.abandon() { settled(.failure(.outcomeUnknown)) }
        idle?.fire()
    }
}
