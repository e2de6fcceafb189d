internal import CRabbitMQ
internal import Glibc

/// Owns a connection of rabbitmq-c, and closes it when let go.
// Unchecked: rabbitmq-c's connections may be used by any thread, by one at a time ("it is not safe to share a connection
// between threads", its README); a handle is used by the set-up's thread, then given to the loop for good.
final class Handle: @unchecked Sendable {
    /// rabbitmq-c's connection state.
    let state: amqp_connection_state_t
    /// The connection's SSL, where it is TLS; it is the state's own and goes with it.
    let tls: UnsafeMutableRawPointer?
    /// The socket, in non-blocking mode; it is the state's own and goes with it.
    let descriptor: Int32
    /// The largest frame that the broker agreed to.
    let frameMaximum: Int
    /// Seconds between heartbeats that the broker agreed to; 0 for none.
    let heartbeat: Int

    /// Takes a connection over that is logged in.
    init(owning state: amqp_connection_state_t, tls: UnsafeMutableRawPointer?) {
        self.state = state
        self.tls = tls
        descriptor = amqp_get_sockfd(state)
        frameMaximum = max(4096, Int(amqp_get_frame_max(state)))
        heartbeat = Int(amqp_get_heartbeat(state))
    }

    deinit {
        amqp_destroy_connection(state)
    }

    /// What became of a write.
    enum Write {
        case wrote(Int)
        case full
        case failed
    }

    /// Writes as much as the socket takes, without waiting.
    func write(_ bytes: UnsafeRawBufferPointer) -> Write {
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

    /// Whether frames may be read without the socket being readable again.
    var hasMore: Bool {
        amqp_frames_enqueued(state) != 0 || amqp_data_in_buffer(state) != 0
    }
}
