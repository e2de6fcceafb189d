internal import CRabbitMQ
internal import Glibc

/// Owns a connection of rabbitmq-c and closes it when the last reference is gone.
// Unchecked: a connection of rabbitmq-c may be used by any thread, but only by one thread at a time ("it is not safe to
// share a connection between threads", its README). Only the thread that connects uses a handle at first. It passes the
// handle to the loop, and then only the loop uses it.
final class AMQPHandle: @unchecked Sendable {
    /// The connection of rabbitmq-c.
    let state: amqp_connection_state_t
    /// The connection's `SSL` object of OpenSSL; `nil` without TLS. `state` owns it.
    let tls: UnsafeMutableRawPointer?
    /// The socket, in non-blocking mode. `state` owns it.
    let descriptor: Int32
    /// The host that accepted the connection.
    let host: BrokerAddress.Host
    /// The negotiated maximum size of a frame, in bytes.
    let frameMaximum: Int
    /// The negotiated heartbeat interval in seconds; 0 means no heartbeats.
    let heartbeat: Int

    /// Takes ownership of a connection that is logged in.
    init(owning state: amqp_connection_state_t, tls: UnsafeMutableRawPointer?, host: BrokerAddress.Host) {
        self.state = state
        self.tls = tls
        self.host = host
        descriptor = amqp_get_sockfd(state)
        frameMaximum = max(4096, Int(amqp_get_frame_max(state)))
        heartbeat = Int(amqp_get_heartbeat(state))
    }

    deinit {
        amqp_destroy_connection(state)
    }

    /// The result of a write.
    enum WriteResult {
        case wrote(Int)
        /// The socket accepts no more bytes at the moment.
        case full
        case failed
    }

    /// Writes as many bytes as the socket accepts without blocking.
    func write(_ bytes: UnsafeRawBufferPointer) -> WriteResult {
        if let tls {
            let count = warren_tls_write(tls, bytes.baseAddress, Int32(clamping: bytes.count))
            if count > 0 { return .wrote(count) }
            return count == Int(WARREN_TLS_AGAIN) ? .full : .failed
        }
        while true {
            let count = send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            if count >= 0 { return .wrote(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN || errno == EWOULDBLOCK ? .full : .failed
        }
    }

    /// Whether rabbitmq-c holds frames or bytes that it has read from the socket.
    var hasBufferedInput: Bool {
        amqp_frames_enqueued(state) != 0 || amqp_data_in_buffer(state) != 0
    }
}
