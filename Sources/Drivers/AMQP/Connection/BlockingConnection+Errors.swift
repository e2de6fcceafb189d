internal import CRabbitMQ
internal import Reactor

extension BlockingConnection {
    /// Throws the error of a rabbitmq-c status other than AMQP_STATUS_OK.
    static func check(
        _ status: Int32, _ operation: StaticString, socketFailure: ErrorCode<AMQPError> = .lost
    ) throws(AMQPError) {
        guard status != Int32(AMQP_STATUS_OK.rawValue) else { return }
        throw AMQPError(library: status, operation, socketFailure: socketFailure)
    }

    /// Throws the error in the reply to a blocking call, if it has one.
    static func check(_ reply: amqp_rpc_reply_t, _ operation: StaticString) throws(AMQPError) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            switch IncomingMethod(reply.reply) {
            case .connectionClosed(let code, let text):
                throw AMQPError(.connectionClosed, "\(operation): \(text)", replyCode: code)
            case .channelClosed(let code, let text):
                throw AMQPError(.channelClosed, "\(operation): \(text)", replyCode: code)
            default: throw AMQPError(.malformed, "\(operation): unexpected method in the answer")
            }
        case AMQP_RESPONSE_LIBRARY_EXCEPTION: throw AMQPError(library: reply.library_error, operation)
        default: throw AMQPError(.lost, "\(operation): no answer")
        }
    }
}

extension AMQPError {
    /// Makes an error from a status of rabbitmq-c (amqp_status_enum).
    ///
    /// - Parameter socketFailure: the code for a failure of the socket.
    init(library status: Int32, _ operation: StaticString, socketFailure: ErrorCode<AMQPError> = .lost) {
        let code: ErrorCode<AMQPError>
        switch amqp_status_enum(rawValue: status) {
        case AMQP_STATUS_TIMEOUT, AMQP_STATUS_HEARTBEAT_TIMEOUT: code = .silent
        case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED: code = .unreachable
        case AMQP_STATUS_SOCKET_ERROR, AMQP_STATUS_TCP_ERROR: code = socketFailure
        case AMQP_STATUS_SSL_ERROR, AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED, AMQP_STATUS_SSL_PEER_VERIFY_FAILED,
            AMQP_STATUS_SSL_CONNECTION_FAILED:
            code = .insecure
        case AMQP_STATUS_BAD_AMQP_DATA, AMQP_STATUS_UNKNOWN_CLASS, AMQP_STATUS_UNKNOWN_METHOD,
            AMQP_STATUS_WRONG_METHOD, AMQP_STATUS_UNEXPECTED_STATE, AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION:
            code = .malformed
        default: code = .lost
        }
        self.init(code, "\(operation): \(String(cString: amqp_error_string2(status)))")
    }
}
