internal import CRabbitMQ

extension SetUp {
    /// Throws what a status of rabbitmq-c stands for.
    static func check(_ status: Int32, _ what: StaticString) throws(BrokerError) {
        guard status != Int32(AMQP_STATUS_OK.rawValue) else { return }
        throw BrokerError(library: status, what)
    }

    /// Throws what the reply to a blocking call stands for.
    static func check(_ reply: amqp_rpc_reply_t, _ what: StaticString) throws(BrokerError) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            switch IncomingMethod(reply.reply) {
            case .connectionClosed(let code, let text):
                throw BrokerError(kind: .connectionClosed, code: code, text: "\(what): \(text)")
            case .channelClosed(let code, let text):
                throw BrokerError(kind: .channelClosed, code: code, text: "\(what): \(text)")
            default: throw BrokerError(kind: .malformed, text: "\(what): an answer that does not belong there")
            }
        case AMQP_RESPONSE_LIBRARY_EXCEPTION: throw BrokerError(library: reply.library_error, what)
        default: throw BrokerError(kind: .lost, text: "\(what): no answer")
        }
    }
}

extension BrokerError {
    /// An error of rabbitmq-c by its status (amqp_status_enum).
    init(library status: Int32, _ what: StaticString) {
        let kind: Kind
        switch amqp_status_enum(rawValue: status) {
        case AMQP_STATUS_TIMEOUT, AMQP_STATUS_HEARTBEAT_TIMEOUT: kind = .silent
        case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED: kind = .unreachable
        case AMQP_STATUS_SOCKET_ERROR, AMQP_STATUS_TCP_ERROR: kind = "\(what)" == "connecting" ? .unreachable : .lost
        case AMQP_STATUS_SSL_ERROR, AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED, AMQP_STATUS_SSL_PEER_VERIFY_FAILED,
            AMQP_STATUS_SSL_CONNECTION_FAILED:
            kind = .insecure
        case AMQP_STATUS_BAD_AMQP_DATA, AMQP_STATUS_UNKNOWN_CLASS, AMQP_STATUS_UNKNOWN_METHOD,
            AMQP_STATUS_WRONG_METHOD, AMQP_STATUS_UNEXPECTED_STATE, AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION:
            kind = .malformed
        default: kind = .lost
        }
        self.init(kind: kind, text: "\(what): \(String(cString: amqp_error_string2(status)))")
    }
}
