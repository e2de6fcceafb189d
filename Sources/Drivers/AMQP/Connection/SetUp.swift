internal import CRabbitMQ
internal import Glibc

/// What is done with rabbitmq-c's blocking calls before a connection comes to the loop; on a thread that may block.
struct SetUp {
    /// How long each step may take.
    struct Limits: Sendable {
        var connect = Duration.seconds(5)
        var login = Duration.seconds(5)
        var call = Duration.seconds(10)
    }

    let handle: Handle

    private var state: amqp_connection_state_t { handle.state }

    /// Connects and logs in.
    ///
    /// - Parameters:
    ///   - name: what the broker shows as the connection's name.
    ///   - interrupter: can end the attempt from another thread once there is a socket.
    init(address: BrokerAddress, name: String, limits: Limits, interrupter: Interrupter) throws(BrokerError) {
        guard let state = amqp_new_connection() else {
            throw BrokerError(kind: .lost, text: "no memory for a connection")
        }
        var tls: UnsafeMutableRawPointer?
        do throws(BrokerError) {
            tls = try Self.openSocket(state, address, limits)
            let descriptor = amqp_get_sockfd(state)
            guard interrupter.arm(descriptor) else { throw BrokerError(kind: .lost, text: "interrupted") }
            Self.tune(descriptor, address)
            try Self.login(state, address, name: name, limits)
        } catch {
            interrupter.disarm()
            amqp_destroy_connection(state)
            throw error
        }
        handle = Handle(owning: state, tls: tls)
        // From here on heartbeats are the loop's: those of rabbitmq-c are sent in the middle of whatever else is being
        // written, and where one is overdue its next send waits without end (amqp_try_recv, version 0.11).
        // And what is read may be larger than the broker agreed to: it writes headers of its own, such as `x-death` and
        // `x-delivery-count`, beside those of a message that filled a frame when it was published.
        guard
            amqp_tune_connection(state, amqp_get_channel_max(state), Int32(clamping: 2 * handle.frameMaximum), 0)
                == Int32(AMQP_STATUS_OK.rawValue)
        else {
            interrupter.disarm()
            throw BrokerError(kind: .lost, text: "no memory for frames")
        }
        var timeout = timeval(limits.call)
        amqp_set_rpc_timeout(state, &timeout)
    }

    private static func openSocket(
        _ state: amqp_connection_state_t, _ address: BrokerAddress, _ limits: Limits
    ) throws(BrokerError) -> UnsafeMutableRawPointer? {
        var timeout = timeval(limits.connect)
        guard address.isTLS else {
            guard let socket = amqp_tcp_socket_new(state) else {
                throw BrokerError(kind: .lost, text: "no memory for a socket")
            }
            try check(
                amqp_socket_open_noblock(socket, address.host, Int32(clamping: address.port), &timeout), "connecting")
            return nil
        }
        guard let socket = amqp_ssl_socket_new(state), let context = amqp_ssl_socket_get_context(socket) else {
            throw BrokerError(kind: .insecure, text: "no TLS context")
        }
        amqp_ssl_socket_set_verify_peer(socket, address.verifiesPeer ? 1 : 0)
        amqp_ssl_socket_set_verify_hostname(socket, address.verifiesPeer ? 1 : 0)
        if let file = address.caCertificateFile {
            guard amqp_ssl_socket_set_cacert(socket, file) == Int32(AMQP_STATUS_OK.rawValue) else {
                throw BrokerError(kind: .insecure, text: "no certificates can be read from cacertfile")
            }
        } else {
            _ = warren_tls_trust_system(context)
        }
        var tls: UnsafeMutableRawPointer?
        let status = withUnsafeMutablePointer(to: &tls) { slot in
            warren_tls_prepare(context, slot)
            return amqp_socket_open_noblock(socket, address.host, Int32(clamping: address.port), &timeout)
        }
        // After a failure the SSL is gone: only the context may be touched then.
        let isOpen = status == Int32(AMQP_STATUS_OK.rawValue)
        warren_tls_prepared(context, isOpen ? tls : nil)
        try check(status, "connecting")
        guard let tls else { throw BrokerError(kind: .insecure, text: "the TLS handshake left no connection") }
        return tls
    }

    /// Has the kernel give up where the peer acknowledges nothing for two heartbeats; a safety net below our own watch.
    private static func tune(_ descriptor: Int32, _ address: BrokerAddress) {
        var milliseconds = UInt32(clamping: max(2, address.heartbeat) * 2000)
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, socklen_t(MemoryLayout<UInt32>.size))
    }

    private static func login(
        _ state: amqp_connection_state_t, _ address: BrokerAddress, name: String, _ limits: Limits
    ) throws(BrokerError) {
        var timeout = timeval(limits.login)
        amqp_set_handshake_timeout(state, &timeout)
        let reply = withClientProperties(name: name) { properties in
            warren_amqp_login(
                state, address.virtualHost, Int32(UInt16.max >> 5), Int32(AMQP_DEFAULT_FRAME_SIZE),
                Int32(clamping: address.heartbeat), properties, address.user, address.password)
        }
        try check(reply, "logging in")
    }

    /// The capabilities rabbitmq-c does not announce by itself, and the connection's name.
    private static func withClientProperties<Result>(
        name: String, _ body: (UnsafePointer<amqp_table_t>) -> Result
    ) -> Result {
        func entry(_ key: StaticString, _ value: amqp_field_value_t) -> amqp_table_entry_t {
            let bytes = UnsafeMutableRawPointer(mutating: key.utf8Start)
            return amqp_table_entry_t(key: amqp_bytes_t(len: key.utf8CodeUnitCount, bytes: bytes), value: value)
        }
        var yes = amqp_field_value_t()
        yes.kind = UInt8(ascii: "t")
        yes.value.boolean = 1
        var capabilities = [entry("connection.blocked", yes), entry("consumer_cancel_notify", yes)]
        var name = name
        return capabilities.withUnsafeMutableBufferPointer { capabilities in
            name.withUTF8 { utf8 in
                var nested = amqp_field_value_t()
                nested.kind = UInt8(ascii: "F")
                nested.value.table = amqp_table_t(
                    num_entries: Int32(capabilities.count), entries: capabilities.baseAddress)
                var text = amqp_field_value_t()
                text.kind = UInt8(ascii: "S")
                text.value.bytes = amqp_bytes_t(
                    len: utf8.count, bytes: UnsafeMutableRawPointer(mutating: utf8.baseAddress))
                var entries = [entry("capabilities", nested), entry("connection_name", text)]
                return entries.withUnsafeMutableBufferPointer { entries in
                    var table = amqp_table_t(num_entries: Int32(entries.count), entries: entries.baseAddress)
                    return body(&table)
                }
            }
        }
    }
}

extension timeval {
    /// A time in the form rabbitmq-c takes; it keeps a copy, or uses it before it returns.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
