internal import Reactor

extension Publisher {
    /// Publishes a message without a confirm. The message is lost without notice if the connection breaks.
    ///
    /// - Throws: ``PublishError`` with the code `unavailable` or `tooLarge`. The message was not sent.
    package func publish(_ message: borrowing OutgoingMessage) throws(PublishError) {
        try write(message, on: plainChannel)
    }

    /// Publishes a message. Reports the result when the broker has confirmed, returned or refused the message, or when
    /// the connection has ended.
    ///
    /// - Parameter completed: called exactly once with the result, after this function has returned. It is not called
    ///   if the function throws.
    /// - Throws: ``PublishError`` with the code `unavailable` or `tooLarge`. The message was not sent.
    package func publish(_ message: borrowing OutgoingMessage, completed: @escaping Completion) throws(PublishError) {
        guard outstandingCount < options.maximumOutstanding else {
            throw PublishError(.unavailable, "too many messages await their confirm")
        }
        try write(message, on: channels.current.number)
        let identity =
            message.isMandatory
            ? ConfirmTracker<Completion>.Identity(
                exchange: message.exchange, routingKey: message.routingKey, messageID: message.properties.messageID,
                correlationID: message.properties.correlationID) : nil
        channels.current.confirms.publish(completed, identity: identity)
    }

    /// Publishes a message and waits for the broker's confirm.
    ///
    /// - Throws: ``PublishError``. If the task is cancelled while it waits, the code is `outcomeUnknown`.
    package func publishConfirmed(_ message: OutgoingMessage) async throws(PublishError) {
        let confirmed = Waiter<Result<Void, PublishError>>()
        try publish(message) { confirmed.resume(returning: $0) }
        guard let result = await confirmed.wait() else {
            throw PublishError(.outcomeUnknown, "the task was cancelled before the confirm")
        }
        try result.get()
    }

    private func write(_ message: borrowing OutgoingMessage, on channel: UInt16) throws(PublishError) {
        guard availability == .available, let connection, connection.isOpen else {
            throw PublishError(.unavailable, availability.obstacle)
        }
        guard message.body.count <= options.maximumBody else {
            throw PublishError(.tooLarge, "the body exceeds \(options.maximumBody) bytes")
        }
        if !hasRoom(for: message.body.count, in: connection) {
            connection.flush()
            // flush() ends the connection if the socket has failed.
            guard connection.isOpen, hasRoom(for: message.body.count, in: connection) else {
                throw PublishError(.unavailable, "too many bytes wait to be sent")
            }
        }
        guard connection.output.appendPublish(message, channel: channel, frameMaximum: connection.frameMaximum) else {
            throw PublishError(
                .tooLarge,
                "a name or a property exceeds 255 bytes, or the headers are nested too deeply or exceed a frame")
        }
    }

    private func hasRoom(for size: Int, in connection: AMQPConnection) -> Bool {
        connection.output.isEmpty || connection.output.count + size <= options.maximumBuffered
    }
}

extension Publisher.Availability {
    /// The reason why no message can be published.
    fileprivate var obstacle: String {
        switch self {
        case .connecting, .available: "not connected to the broker"
        case .blocked(let reason): "the broker blocks publishers: \(reason)"
        case .closed: "the publisher is closed"
        }
    }
}
