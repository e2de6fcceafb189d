internal import CRabbitMQ
internal import Reactor

extension BlockingConnection {
    /// Throws an error if a status of rabbitmq-c is not AMQP_STATUS_OK.
    static func check(
        _ status: Int32, _ operation: StaticString, socketFailure: ErrorCode<AMQPError> = .lost,
        fileID: StaticString = #fileID, line: UInt = #line
    ) throws(AMQPError) {
        guard status != Int32(AMQP_STATUS_OK.rawValue) else { return }
        throw AMQPError(library: status, operation, socketFailure: socketFailure, fileID: fileID, line: line)
    }

    /// Throws the error in the reply to a blocking call, if the reply contains an error.
    static func check(
        _ reply: amqp_rpc_reply_t, _ operation: StaticString, fileID: StaticString = #fileID, line: UInt = #line
    ) throws(AMQPError) {
        func error(
            _ code: ErrorCode<AMQPError>, _ text: String, replyCode: UInt16? = nil
        ) -> AMQPError {
            AMQPError(code, "\(operation): \(text)", replyCode: replyCode, fileID: fileID, line: line)
        }
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            switch IncomingMethod(reply.reply) {
            case .connectionClosed(let code, let text): throw error(.connectionClosed, text, replyCode: code)
            case .channelClosed(let code, let text): throw error(.channelClosed, text, replyCode: code)
            default: throw error(.malformed, "unexpected method in the answer")
            }
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            throw AMQPError(library: reply.library_error, operation, fileID: fileID, line: line)
        default: throw error(.lost, "no answer")
        }
    }
}

extension AMQPError {
    /// Makes an error from a status of rabbitmq-c (amqp_status_enum).
    ///
    /// - Parameter socketFailure: the code for a failure of the socket.
    init(
        library status: Int32, _ operation: StaticString, socketFailure: ErrorCode<AMQPError> = .lost,
        fileID: StaticString = #fileID, line: UInt = #line
    ) {
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
        self.init(
            code, "\(operation): \(String(cString: amqp_error_string2(status)))", fileID: fileID, line: line)
    }
}
