internal import CRabbitMQ

extension SetUp {
    /// Calls with a text as rabbitmq-c wants it; the bytes are good inside the closure only.
    func with<Result>(_ text: String, _ body: (amqp_bytes_t) -> Result) -> Result {
        var text = text
        return text.withUTF8 { utf8 in
            body(amqp_bytes_t(len: utf8.count, bytes: UnsafeMutableRawPointer(mutating: utf8.baseAddress)))
        }
    }

    /// Throws what the last blocking call led to.
    func check(_ what: StaticString) throws(BrokerError) {
        try Self.check(amqp_get_rpc_reply(handle.state), what)
    }

    func openChannel(_ channel: UInt16) throws(BrokerError) {
        amqp_channel_open(handle.state, channel)
        try check("opening a channel")
    }

    /// Closes a channel that is no longer needed.
    func closeChannel(_ channel: UInt16) throws(BrokerError) {
        try Self.check(amqp_channel_close(handle.state, channel, 200), "closing a channel")
    }

    /// Answers the broker, which has closed a channel; rabbitmq-c leaves that to its caller.
    func confirmChannelClosed(_ channel: UInt16) {
        var answer = amqp_channel_close_ok_t()
        amqp_send_method(handle.state, channel, Method.channelCloseOK, &answer)
    }

    /// Has the broker confirm what is published on a channel.
    func selectConfirms(_ channel: UInt16) throws(BrokerError) {
        amqp_confirm_select(handle.state, channel)
        try check("asking for confirms")
    }

    /// Bounds how many unacknowledged deliveries the broker sends on a channel.
    func setPrefetch(_ count: UInt16, channel: UInt16) throws(BrokerError) {
        amqp_basic_qos(handle.state, channel, 0, count, 0)
        try check("setting the prefetch")
    }

    /// Declares an exclusive queue that the broker names and deletes with the connection, and binds it to an exchange.
    ///
    /// - Returns: its name.
    func declareReplyQueue(exchange: String, key: String, channel: UInt16) throws(BrokerError) -> String {
        let answer = amqp_queue_declare(handle.state, channel, amqp_empty_bytes, 0, 0, 1, 1, amqp_empty_table)
        try check("declaring the reply queue")
        guard let answer else { throw BrokerError(kind: .malformed, text: "declaring the reply queue: no name") }
        let name = answer.pointee.queue.text
        try bind(name, to: exchange, key: key, channel: channel)
        return name
    }

    func bind(_ queue: String, to exchange: String, key: String, channel: UInt16) throws(BrokerError) {
        with(queue) { queue in
            with(exchange) { exchange in
                with(key) { _ = amqp_queue_bind(handle.state, channel, queue, exchange, $0, amqp_empty_table) }
            }
        }
        try check("binding a queue")
    }

    /// Starts consuming; deliveries may follow at once and are kept by rabbitmq-c until they are read.
    ///
    /// - Returns: the consumer's tag.
    func consume(_ queue: String, acknowledges: Bool, isExclusive: Bool, channel: UInt16) throws(BrokerError) -> String
    {
        let answer = with(queue) { queue in
            amqp_basic_consume(
                handle.state, channel, queue, amqp_empty_bytes, 0, acknowledges ? 0 : 1, isExclusive ? 1 : 0,
                amqp_empty_table)
        }
        try check("consuming")
        guard let answer else { throw BrokerError(kind: .malformed, text: "consuming: no consumer tag") }
        return answer.pointee.consumer_tag.text
    }

    /// Declares an exchange passively: an error of code 404, and a closed channel, where there is none.
    func expectExchange(_ name: String, channel: UInt16) throws(BrokerError) {
        with(name) { exchange in
            with("direct") { type in
                _ = amqp_exchange_declare(handle.state, channel, exchange, type, 1, 0, 0, 0, amqp_empty_table)
            }
        }
        try check("looking for an exchange")
    }

    /// Declares a queue passively: an error of code 404, and a closed channel, where there is none.
    @discardableResult
    func expectQueue(_ name: String, channel: UInt16) throws(BrokerError) -> Provisioner.Depth {
        let answer = with(name) { amqp_queue_declare(handle.state, channel, $0, 1, 0, 0, 0, amqp_empty_table) }
        try check("looking for a queue")
        guard let answer else { throw BrokerError(kind: .malformed, text: "looking for a queue: no answer") }
        return Provisioner.Depth(
            ready: Int(answer.pointee.message_count), consumers: Int(answer.pointee.consumer_count))
    }

    /// Says goodbye to the broker and waits for its answer.
    func close() {
        _ = amqp_connection_close(handle.state, 200)
    }
}
