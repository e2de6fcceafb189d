internal import CRabbitMQ

/// A method from the broker. The bytes of a `deliver` belong to rabbitmq-c and are valid until the next
/// frame is read.
enum IncomingMethod {
    case deliver(tag: UInt64, isRedelivered: Bool, exchange: UnsafeRawBufferPointer, routingKey: UnsafeRawBufferPointer)
    case channelOpenOK
    case channelCloseOK
    case selectOK
    case qosOK
    case consumeOK(tag: String)
    case returned(code: UInt16, text: String, exchange: String, routingKey: String)
    case ack(tag: UInt64, multiple: Bool)
    case nack(tag: UInt64, multiple: Bool)
    case cancelled
    case cancelOK
    case flow(isActive: Bool)
    case channelClosed(code: UInt16, text: String)
    case connectionClosed(code: UInt16, text: String)
    case connectionCloseOK
    case blocked(reason: String)
    case unblocked
    case other(UInt32)

    /// Converts a method of rabbitmq-c. `decoded` points to the structure that belongs to the method's ID
    /// (amqp_framing.h).
    init(_ method: amqp_method_t) {
        guard let decoded = method.decoded else {
            self = .other(method.id)
            return
        }
        switch method.id {
        case MethodID.basicDeliver:
            let fields = decoded.assumingMemoryBound(to: amqp_basic_deliver_t.self).pointee
            self = .deliver(
                tag: fields.delivery_tag, isRedelivered: fields.redelivered != 0, exchange: fields.exchange.buffer,
                routingKey: fields.routing_key.buffer)
        case MethodID.channelOpenOK: self = .channelOpenOK
        case MethodID.channelCloseOK: self = .channelCloseOK
        case MethodID.confirmSelectOK: self = .selectOK
        case MethodID.basicQosOK: self = .qosOK
        case MethodID.basicConsumeOK:
            let fields = decoded.assumingMemoryBound(to: amqp_basic_consume_ok_t.self).pointee
            self = .consumeOK(tag: fields.consumer_tag.text)
        case MethodID.basicReturn:
            let fields = decoded.assumingMemoryBound(to: amqp_basic_return_t.self).pointee
            self = .returned(
                code: fields.reply_code, text: fields.reply_text.text, exchange: fields.exchange.text,
                routingKey: fields.routing_key.text)
        case MethodID.basicAck:
            let fields = decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
            self = .ack(tag: fields.delivery_tag, multiple: fields.multiple != 0)
        case MethodID.basicNack:
            let fields = decoded.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
            self = .nack(tag: fields.delivery_tag, multiple: fields.multiple != 0)
        case MethodID.basicCancel: self = .cancelled
        case MethodID.basicCancelOK: self = .cancelOK
        case MethodID.channelFlow:
            self = .flow(isActive: decoded.assumingMemoryBound(to: amqp_channel_flow_t.self).pointee.active != 0)
        case MethodID.channelClose:
            let fields = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            self = .channelClosed(code: fields.reply_code, text: fields.reply_text.text)
        case MethodID.connectionClose:
            let fields = decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            self = .connectionClosed(code: fields.reply_code, text: fields.reply_text.text)
        case MethodID.connectionCloseOK: self = .connectionCloseOK
        case MethodID.connectionBlocked:
            let fields = decoded.assumingMemoryBound(to: amqp_connection_blocked_t.self).pointee
            self = .blocked(reason: fields.reason.text)
        case MethodID.connectionUnblocked: self = .unblocked
        default: self = .other(method.id)
        }
    }
}

extension amqp_bytes_t {
    /// The bytes, not copied. They belong to a memory pool of the connection.
    var buffer: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : len)
    }

    /// The bytes as text. Invalid UTF-8 is replaced with U+FFFD.
    var text: String {
        String(decoding: buffer, as: UTF8.self)
    }

    /// The bytes as text, or `nil` if they are not valid UTF-8.
    var validText: String? {
        String(validating: buffer, as: UTF8.self)
    }
}
