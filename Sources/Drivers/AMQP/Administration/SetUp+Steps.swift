internal import CRabbitMQ

extension SetUp {
    /// Does one step of a provisioner.
    func perform(_ step: Provisioner.Step, channel: UInt16) throws(BrokerError) {
        switch step {
        case .queue(let name, let arguments):
            try withTable(arguments) { table in
                with(name) { _ = amqp_queue_declare(handle.state, channel, $0, 0, 1, 0, 0, table) }
            }
            try check("declaring a queue")
        case .exchange(let name, let type):
            with(name) { name in
                with(type) { type in
                    _ = amqp_exchange_declare(handle.state, channel, name, type, 0, 1, 0, 0, amqp_empty_table)
                }
            }
            try check("declaring an exchange")
        case .binding(let queue, let exchange, let key):
            try bind(queue, to: exchange, key: key, channel: channel)
        case .exchangeBinding(let destination, let source, let key):
            with(destination) { destination in
                with(source) { source in
                    with(key) { key in
                        _ = amqp_exchange_bind(handle.state, channel, destination, source, key, amqp_empty_table)
                    }
                }
            }
            try check("binding an exchange")
        case .unbinding(let queue, let exchange, let key):
            with(queue) { queue in
                with(exchange) { exchange in
                    with(key) { _ = amqp_queue_unbind(handle.state, channel, queue, exchange, $0, amqp_empty_table) }
                }
            }
            try check("unbinding a queue")
        case .deleteQueue(let name):
            with(name) { _ = amqp_queue_delete(handle.state, channel, $0, 0, 0) }
            try check("deleting a queue")
        case .deleteExchange(let name):
            with(name) { _ = amqp_exchange_delete(handle.state, channel, $0, 0) }
            try check("deleting an exchange")
        case .purge(let name):
            with(name) { _ = amqp_queue_purge(handle.state, channel, $0) }
            try check("purging a queue")
        }
    }

    /// Gives a table in rabbitmq-c's form: it is written in AMQP's, and rabbitmq-c reads it.
    private func withTable(_ table: Headers, _ body: (amqp_table_t) -> Void) throws(BrokerError) {
        var encoded = OutputBuffer()
        guard encoded.append(table) else {
            throw BrokerError(kind: .malformed, text: "arguments: a name too long, or too deep a nesting")
        }
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4096)
        defer { empty_amqp_pool(&pool) }
        let status = encoded.withPending { bytes in
            var decoded = amqp_table_t()
            var offset = 0
            let input = amqp_bytes_t(len: bytes.count, bytes: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            let status = amqp_decode_table(input, &pool, &decoded, &offset)
            if status == Int32(AMQP_STATUS_OK.rawValue) { body(decoded) }
            return status
        }
        try Self.check(status, "arguments")
    }
}
