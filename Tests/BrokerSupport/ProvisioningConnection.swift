internal import AMQP
internal import CRabbitMQ

/// A blocking connection of rabbitmq-c with one channel. It closes when it is released.
final class ProvisioningConnection {
    private let state: amqp_connection_state_t
    private let channel: UInt16 = 1

    init(_ address: BrokerAddress) throws(Provisioner.Failure) {
        guard let state = amqp_new_connection(), let socket = amqp_tcp_socket_new(state) else {
            throw Provisioner.Failure(code: 0, text: "no memory for a connection")
        }
        self.state = state
        guard let host = address.hosts.first,
            amqp_socket_open(socket, host.name, Int32(host.port)) == AMQP_STATUS_OK.rawValue
        else {
            throw Provisioner.Failure(code: 0, text: "cannot connect to \(address)")
        }
        var properties = amqp_empty_table
        try Self.check(
            warren_amqp_login(
                state, address.virtualHost, 0, AMQP_DEFAULT_FRAME_SIZE, 0, &properties, address.user, address.password))
        amqp_channel_open(state, channel)
        try check()
    }

    deinit {
        amqp_connection_close(state, 200)
        amqp_destroy_connection(state)
    }

    func perform(_ step: Provisioner.Step) throws(Provisioner.Failure) {
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4096)
        defer { empty_amqp_pool(&pool) }
        func bytes(_ text: String) -> amqp_bytes_t { Self.bytes(text, &pool) }
        switch step {
        case .queue(let name, let arguments):
            let table = Self.table(arguments, &pool)
            amqp_queue_declare(state, channel, bytes(name), 0, 1, 0, 0, table)
        case .exchange(let name, let type):
            amqp_exchange_declare(state, channel, bytes(name), bytes(type), 0, 1, 0, 0, amqp_empty_table)
        case .binding(let queue, let exchange, let key):
            amqp_queue_bind(state, channel, bytes(queue), bytes(exchange), bytes(key), amqp_empty_table)
        case .exchangeBinding(let destination, let source, let key):
            amqp_exchange_bind(state, channel, bytes(destination), bytes(source), bytes(key), amqp_empty_table)
        case .unbinding(let queue, let exchange, let key):
            amqp_queue_unbind(state, channel, bytes(queue), bytes(exchange), bytes(key), amqp_empty_table)
        case .deleteQueue(let name): amqp_queue_delete(state, channel, bytes(name), 0, 0)
        case .deleteExchange(let name): amqp_exchange_delete(state, channel, bytes(name), 0)
        case .purge(let name): amqp_queue_purge(state, channel, bytes(name))
        }
        try check()
    }

    func depth(ofQueue queue: String) throws(Provisioner.Failure) -> Provisioner.Depth {
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4096)
        defer { empty_amqp_pool(&pool) }
        let answer = amqp_queue_declare(state, channel, Self.bytes(queue, &pool), 1, 0, 0, 0, amqp_empty_table)
        try check()
        guard let answer = answer?.pointee else {
            throw Provisioner.Failure(code: 0, text: "the broker sent no answer")
        }
        return Provisioner.Depth(ready: Int(answer.message_count), consumers: Int(answer.consumer_count))
    }

    // MARK: Replies

    private func check() throws(Provisioner.Failure) {
        try Self.check(amqp_get_rpc_reply(state))
    }

    private static func check(_ reply: amqp_rpc_reply_t) throws(Provisioner.Failure) {
        guard reply.reply_type != AMQP_RESPONSE_NORMAL else { return }
        guard reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION, let decoded = reply.reply.decoded else {
            throw Provisioner.Failure(code: 0, text: String(cString: amqp_error_string2(reply.library_error)))
        }
        // The reply is channel.close or connection.close, whose structures begin with the same two fields
        // (amqp_framing.h).
        let close = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
        let text = UnsafeRawBufferPointer(start: close.reply_text.bytes, count: close.reply_text.len)
        throw Provisioner.Failure(code: close.reply_code, text: String(decoding: text, as: UTF8.self))
    }

    // MARK: Arguments, allocated from a pool

    private static func bytes(_ text: String, _ pool: inout amqp_pool_t) -> amqp_bytes_t {
        let utf8 = Array(text.utf8)
        var bytes = amqp_bytes_t()
        amqp_pool_alloc_bytes(&pool, utf8.count, &bytes)
        bytes.bytes?.copyMemory(from: utf8, byteCount: utf8.count)
        return bytes
    }

    private static func table(_ headers: Headers, _ pool: inout amqp_pool_t) -> amqp_table_t {
        let count = headers.entries.count
        let size = max(1, count) * MemoryLayout<amqp_table_entry_t>.stride
        let entries = amqp_pool_alloc(&pool, size)?.bindMemory(to: amqp_table_entry_t.self, capacity: count)
        for (index, entry) in headers.entries.enumerated() {
            let value = value(entry.value, &pool)
            entries?[index] = amqp_table_entry_t(key: bytes(entry.name, &pool), value: value)
        }
        return amqp_table_t(num_entries: Int32(count), entries: entries)
    }

    private static func value(_ value: FieldValue, _ pool: inout amqp_pool_t) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        switch value {
        case .string(let text):
            field.kind = UInt8(ascii: "S")
            field.value.bytes = bytes(text, &pool)
        case .int64(let number):
            field.kind = UInt8(ascii: "l")
            field.value.i64 = number
        case .bool(let isTrue):
            field.kind = UInt8(ascii: "t")
            field.value.boolean = isTrue ? 1 : 0
        default: preconditionFailure("queue arguments must be texts, integers or Booleans")
        }
        return field
    }
}
