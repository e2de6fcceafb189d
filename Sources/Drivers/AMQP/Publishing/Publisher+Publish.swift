internal import Reactor

extension Publisher {
    /// Publishes a message without asking for a confirm: it may be lost, and nobody will hear of it.
    ///
    /// - Throws: ``PublishError/unavailable`` or ``PublishError/tooLarge``; nothing was sent then.
    package func publish(_ message: borrowing OutgoingMessage) throws(PublishError) {
        try write(message, on: plainChannel)
    }

    /// Publishes a message and tells how it ended once the broker has confirmed it.
    ///
    /// - Parameter settled: is called once, later; not where this throws.
    /// - Throws: ``PublishError/unavailable`` or ``PublishError/tooLarge``; nothing was sent then.
    package func publish(_ message: borrowing OutgoingMessage, settled: @escaping Settled) throws(PublishError) {
        guard confirms.count < options.maximumOutstanding else { throw .unavailable }
        try write(message, on: confirmChannel)
        let identity =
            message.isMandatory
            ? ConfirmTracker<Settled>.Identity(
                exchange: message.exchange, routingKey: message.routingKey, messageID: message.properties.messageID,
                correlationID: message.properties.correlationID) : nil
        confirms.publish(settled, identity: identity)
    }

    /// Publishes a message and waits for the broker's confirm.
    ///
    /// - Throws: ``PublishError``; ``PublishError/outcomeUnknown`` also where the task is cancelled while it waits.
    package func publishConfirmed(_ message: OutgoingMessage) async throws(PublishError) {
        let confirmed = Signal()
        var result = Result<Void, PublishError>.failure(.outcomeUnknown)
        try publish(message) { settled in
            result = settled
            confirmed.fire()
        }
        _ = await confirmed.wait()
        try result.get()
    }

    private func write(_ message: borrowing OutgoingMessage, on channel: UInt16) throws(PublishError) {
        guard availability == .available, let connection, connection.isOpen else { throw .unavailable }
        guard message.body.count <= options.maximumBody else { throw .tooLarge }
        if !hasRoom(for: message.body.count, in: connection) {
            connection.flush()
            // The flush may have found that the connection is gone.
            guard connection.isOpen, hasRoom(for: message.body.count, in: connection) else { throw .unavailable }
        }
        guard connection.output.appendPublish(message, channel: channel, frameMaximum: connection.frameMaximum) else {
            throw .tooLarge
        }
    }

    private func hasRoom(for size: Int, in connection: Connection) -> Bool {
        connection.output.isEmpty || connection.output.count + size <= options.maximumBuffered
    }
}
