package import Logging
package import Reactor

/// Publishes messages on a connection of its own, and reconnects while it runs.
///
/// The connection has two channels, one with and one without confirms. All messages of one turn of the loop are sent
/// together at the end of the turn. Publishing never waits for the socket. If too much is in flight, publishing throws
/// ``PublishError`` with the code `unavailable`.
@Loop package final class Publisher {
    /// Limits on the messages in flight.
    package struct Options: Sendable {
        /// The maximum number of messages that await their confirm.
        package var maximumOutstanding = 8192
        /// The maximum number of bytes that wait for the socket. If no bytes wait, a single message may exceed it.
        package var maximumBuffered = 32 * 1024 * 1024
        /// The maximum size of a body in bytes. RabbitMQ closes the channel if a body exceeds its `max_message_size`.
        package var maximumBody = 16 * 1024 * 1024

        /// Makes the default limits.
        package init() {}
    }

    /// Whether messages can be published.
    package enum Availability: Sendable, Equatable {
        /// The publisher is not connected. While ``run()`` is active, the publisher tries to connect.
        case connecting
        /// Messages can be published.
        case available
        /// The broker blocks publishers, for example because of a memory or disk alarm (connection.blocked).
        case blocked(reason: String)
        /// The publisher was closed.
        case closed
    }

    /// Called once, on the loop, with the result of publishing a message.
    package typealias Completion = @Loop (Result<Void, PublishError>) -> Void

    /// Whether messages can be published now.
    package private(set) var availability = Availability.connecting {
        didSet { availabilityChanged() }
    }
    /// The number of messages that await their confirm.
    package var outstandingCount: Int { channels.outstandingCount }

    let plainChannel: UInt16 = 1
    let options: Options
    private(set) var connection: AMQPConnection?
    let channels = ConfirmChannels()
    private let log: Logger
    private let reconnectLoop: ReconnectLoop
    /// Fires when the publisher becomes available or is closed. Replaced when the publisher becomes unavailable again.
    private var availableOrClosed = Signal()
    /// Fires when no message awaits its confirm any more. `nil` until ``close(within:)`` waits for confirms.
    private var allConfirmed: Signal?
    private var returnOnPlainChannel = MessageAssembly<ReturnEnvelope>()
    /// An empty array. `confirm` takes it to collect the messages that one basic.ack or basic.nack confirms, and puts
    /// it back empty. This reuses its memory.
    private var confirmBuffer: [ConfirmTracker<Completion>.Confirmed] = []

    /// The arguments of basic.return.
    struct ReturnEnvelope {
        let code: UInt16
        let text: String
        let exchange: String
        let routingKey: String
    }

    /// Makes a publisher. It connects when ``run()`` is called.
    ///
    /// - Parameters:
    ///   - address: the broker. Evaluated for each connection, so that a new password is used.
    ///   - name: the connection's name, as the broker shows it.
    ///   - log: receives an entry for each connection that is made, lost or blocked.
    ///   - options: limits on the messages in flight.
    package init(
        address: @autoclosure @escaping @Sendable () throws -> BrokerAddress, name: String, log: Logger,
        options: Options = Options()
    ) {
        self.options = options
        self.log = log
        reconnectLoop = ReconnectLoop(address: address, name: name, log: log)
    }

    /// Connects and reconnects until ``close(within:)`` is called or the task is cancelled.
    ///
    /// Returns at once if it is already running or the publisher has been closed.
    package func run() async {
        let (plainChannel, confirmChannel) = (plainChannel, ConfirmChannels.first)
        await reconnectLoop.run { connection throws(AMQPError) in
            try connection.openChannel(plainChannel)
            try connection.openChannel(confirmChannel)
            try connection.selectConfirms(confirmChannel)
        } attach: { (handle, _) throws(AMQPError) in
            let connection = try AMQPConnection(handle, delegate: self)
            self.connection = connection
            if self.availability != .closed { self.availability = .available }
            connection.start()
            return connection
        }
        if reconnectLoop.isStopped { availability = .closed }
    }

    /// Refuses further messages, waits for the outstanding confirms, and closes the connection.
    ///
    /// - Parameter limit: how long to wait. Messages that are still unconfirmed after this time fail with the code
    ///   `outcomeUnknown`.
    package func close(within limit: Duration = .seconds(5)) async {
        availability = .closed
        if outstandingCount > 0 {
            let signal = allConfirmed ?? Signal()
            allConfirmed = signal
            _ = await signal.waitThroughCancellation(within: limit)
        }
        await reconnectLoop.stop()
    }

    /// Waits until messages can be published.
    ///
    /// - Returns: `false` if the time limit passes, the publisher is closed or the task is cancelled first.
    package func waitUntilAvailable(within limit: Duration) async -> Bool {
        if availability == .available { return true }
        if availability == .closed { return false }
        _ = await availableOrClosed.wait(within: limit)
        return availability == .available
    }

    private func availabilityChanged() {
        switch availability {
        case .available, .closed: availableOrClosed.fire()
        case .connecting, .blocked:
            if availableOrClosed.isFired { availableOrClosed = Signal() }
        }
    }
}

extension Publisher: AMQPConnectionDelegate {
    func received(_ method: IncomingMethod, on channel: UInt16) {
        switch method {
        case .ack(let tag, let multiple): confirm(tag, multiple: multiple, isAck: true, on: channel)
        case .nack(let tag, let multiple):
            confirm(tag, multiple: multiple, isAck: false, on: channel)
            if let connection { channels.replace(channel, on: connection) }
        case .channelOpenOK, .selectOK, .channelCloseOK:
            guard let connection, !channels.advance(method, from: channel, on: connection) else { break }
            connection.fail(.malformed, "an answer that does not fit the state of its channel")
        case .returned(let code, let text, let exchange, let routingKey):
            let envelope = ReturnEnvelope(code: code, text: text, exchange: exchange, routingKey: routingKey)
            let isInOrder =
                channel == plainChannel
                ? returnOnPlainChannel.begin(envelope) : channels[channel]?.returned.begin(envelope)
            if isInOrder != true { connection?.fail(.malformed, "basic.return inside another message") }
        case .blocked(let reason):
            log.warning("the broker blocks publishers", metadata: ["reason": "\(reason)"])
            if availability != .closed { availability = .blocked(reason: reason) }
        case .unblocked:
            log.notice("the broker unblocked publishers")
            if availability != .closed { availability = .available }
        default: break
        }
    }

    func channelClosed(_ error: AMQPError, on channel: UInt16) -> Bool { false }

    func receivedHeader(_ properties: Properties, bodySize: UInt64, on channel: UInt16) {
        process(
            channel == plainChannel
                ? returnOnPlainChannel.header(properties, bodySize: bodySize)
                : channels[channel]?.returned.header(properties, bodySize: bodySize), on: channel)
    }

    func receivedBody(_ bytes: UnsafeRawBufferPointer, on channel: UInt16) {
        process(
            channel == plainChannel ? returnOnPlainChannel.body(bytes) : channels[channel]?.returned.body(bytes),
            on: channel)
    }

    private func process(_ step: MessageAssembly<ReturnEnvelope>.Step?, on channel: UInt16) {
        switch step {
        case nil: connection?.fail(.malformed, "content on a channel that is not open")
        case .incomplete: break
        case .malformed(let reason): connection?.fail(.malformed, reason)
        case .complete(let message):
            let returned = message.envelope
            guard channel == plainChannel else {
                let identity = ConfirmTracker<Completion>.Identity(
                    exchange: returned.exchange, routingKey: returned.routingKey,
                    messageID: message.properties.messageID, correlationID: message.properties.correlationID)
                let isKnown = channels[channel]?.confirms.returned(
                    identity, code: returned.code, text: returned.text)
                if isKnown != true {
                    connection?.fail(.malformed, "basic.return for a message that was not published")
                }
                return
            }
            log.debug(
                "the broker returned an unroutable message",
                metadata: ["code": "\(returned.code)", "text": "\(returned.text)", "exchange": "\(returned.exchange)"])
        }
    }

    private func confirm(_ tag: UInt64, multiple: Bool, isAck: Bool, on channel: UInt16) {
        guard let confirming = channels[channel] else { return }
        // A completion may call the publisher again, so the array is moved out of the property while it is iterated.
        var batch: [ConfirmTracker<Completion>.Confirmed] = []
        swap(&batch, &confirmBuffer)
        confirming.confirms.confirm(tag, multiple: multiple, isAck: isAck, into: &batch)
        for (completion, confirmation) in batch {
            switch confirmation {
            case .ack: completion(.success(()))
            case .nack: completion(.failure(PublishError(.refused, "the broker refused the message")))
            case .returned(let code, let text):
                completion(.failure(PublishError(.returned, text, replyCode: code)))
            }
        }
        batch.removeAll(keepingCapacity: batch.count < 1024)
        swap(&batch, &confirmBuffer)
        if let connection { channels.closeRetired(on: connection) }
        if outstandingCount == 0 { allConfirmed?.fire() }
    }

    func turnWillEnd() {}

    func connectionEnded(_ error: AMQPError?) {
        connection = nil
        returnOnPlainChannel = MessageAssembly()
        if availability != .closed { availability = .connecting }
        for completion in channels.abandon() {
            completion(.failure(PublishError(.outcomeUnknown, "the connection ended before the confirm")))
        }
        allConfirmed?.fire()
    }
}
