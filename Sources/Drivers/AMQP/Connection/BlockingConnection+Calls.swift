internal import CRabbitMQ

extension BlockingConnection {
    /// Passes a text to a closure in rabbitmq-c's form. The bytes are valid only inside the closure.
    private func with<Result>(_ text: String, _ body: (amqp_bytes_t) -> Result) -> Result {
        var text = text
        return text.withUTF8 { utf8 in
            body(amqp_bytes_t(len: utf8.count, bytes: UnsafeMutableRawPointer(mutating: utf8.baseAddress)))
        }
    }

    /// Throws the error of the last blocking call, if it failed.
    private func check(
        _ operation: StaticString, fileID: StaticString = #fileID, line: UInt = #line
    ) throws(AMQPError) {
        try Self.check(amqp_get_rpc_reply(handle.state), operation, fileID: fileID, line: line)
    }

    func openChannel(_ channel: UInt16) throws(AMQPError) {
        amqp_channel_open(handle.state, channel)
        try check("opening a channel")
    }

    /// Closes a channel with the code 200 and waits for the broker's answer.
    func closeChannel(_ channel: UInt16) throws(AMQPError) {
        try Self.check(amqp_channel_close(handle.state, channel, 200), "closing a channel")
    }

    /// Confirms with channel.close-ok that the broker has closed a channel. rabbitmq-c does not send it by itself.
    func confirmChannelClosed(_ channel: UInt16) {
        var answer = amqp_channel_close_ok_t()
        amqp_send_method(handle.state, channel, MethodID.channelCloseOK, &answer)
    }

    /// Makes the broker confirm the messages that are published on a channel.
    func selectConfirms(_ channel: UInt16) throws(AMQPError) {
        amqp_confirm_select(handle.state, channel)
        try check("asking for confirms")
    }

    /// Declares an exclusive queue with a name from the broker, and binds it to an exchange. The broker deletes the
    /// queue when the connection ends or its consumer is cancelled.
    ///
    /// - Returns: the queue's name.
    func declareReplyQueue(exchange: String, key: String, channel: UInt16) throws(AMQPError) -> String {
        let answer = amqp_queue_declare(handle.state, channel, amqp_empty_bytes, 0, 0, 1, 1, amqp_empty_table)
        try check("declaring the reply queue")
        guard let answer else { throw AMQPError(.malformed, "declaring the reply queue: no name in the answer") }
        let name = answer.pointee.queue.text
        with(name) { queue in
            with(exchange) { exchange in
                with(key) { _ = amqp_queue_bind(handle.state, channel, queue, exchange, $0, amqp_empty_table) }
            }
        }
        try check("binding the reply queue")
        return name
    }

    /// Starts to consume a queue of replies, without acknowledgements. Deliveries may arrive at once; rabbitmq-c keeps
    /// them until they are read.
    ///
    /// - Returns: the consumer tag.
    func consumeReplies(_ queue: String, channel: UInt16) throws(AMQPError) -> String {
        let answer = with(queue) { queue in
            amqp_basic_consume(handle.state, channel, queue, amqp_empty_bytes, 0, 1, 1, amqp_empty_table)
        }
        try check("consuming")
        guard let answer else { throw AMQPError(.malformed, "consuming: no consumer tag in the answer") }
        return answer.pointee.consumer_tag.text
    }

    /// Checks that an exchange exists, by a passive declaration.
    ///
    /// - Throws: ``AMQPError`` with the reply code 404 if it does not exist. The broker then closes the channel.
    func expectExchange(_ name: String, channel: UInt16) throws(AMQPError) {
        with(name) { exchange in
            with("direct") { type in
                _ = amqp_exchange_declare(handle.state, channel, exchange, type, 1, 0, 0, 0, amqp_empty_table)
            }
        }
        try check("checking an exchange")
    }

    /// Checks that a queue exists, by a passive declaration.
    ///
    /// - Throws: ``AMQPError`` with the reply code 404 if it does not exist. The broker then closes the channel.
    func expectQueue(_ name: String, channel: UInt16) throws(AMQPError) {
        with(name) { _ = amqp_queue_declare(handle.state, channel, $0, 1, 0, 0, 0, amqp_empty_table) }
        try check("checking a queue")
    }

    /// Sends connection.close and waits for the broker's answer.
    func close() {
        _ = amqp_connection_close(handle.state, 200)
    }
}
