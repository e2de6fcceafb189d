internal import CRabbitMQ

extension Properties {
    /// Copies properties of rabbitmq-c. Invalid UTF-8 is replaced with U+FFFD. An expiration that is not a number
    /// becomes `nil`.
    init(_ decoded: amqp_basic_properties_t) {
        self.init()
        let flags = UInt16(truncatingIfNeeded: decoded._flags)
        if flags & PropertyFlag.contentType != 0 { contentType = decoded.content_type.text }
        if flags & PropertyFlag.contentEncoding != 0 { contentEncoding = decoded.content_encoding.text }
        if flags & PropertyFlag.headers != 0 { headers = Headers(decoded.headers) }
        if flags & PropertyFlag.deliveryMode != 0 { isPersistent = decoded.delivery_mode == 2 }
        if flags & PropertyFlag.priority != 0 { priority = decoded.priority }
        if flags & PropertyFlag.correlationID != 0 { correlationID = decoded.correlation_id.text }
        if flags & PropertyFlag.replyTo != 0 { replyTo = decoded.reply_to.text }
        if flags & PropertyFlag.expiration != 0 { expiration = UInt64(decoded.expiration.text) }
        if flags & PropertyFlag.messageID != 0 { messageID = decoded.message_id.text }
        if flags & PropertyFlag.timestamp != 0 { timestamp = decoded.timestamp }
        if flags & PropertyFlag.type != 0 { type = decoded.type.text }
        if flags & PropertyFlag.userID != 0 { userID = decoded.user_id.text }
        if flags & PropertyFlag.appID != 0 { appID = decoded.app_id.text }
    }
}
