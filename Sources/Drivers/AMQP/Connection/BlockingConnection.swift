internal import CRabbitMQ
internal import Glibc
internal import Reactor

/// A connection that is not on the loop yet. It is prepared with rabbitmq-c's blocking calls, on a thread that may
/// block.
struct BlockingConnection {
    /// The timeouts for connecting and for the login, of all hosts together. The hosts share them equally, and the
    /// addresses of a host share its part, so that one that does not answer leaves time for the others. Each address
    /// has at least a second.
    private static let connectTimeout = Duration.seconds(5)
    private static let loginTimeout = Duration.seconds(5)
    /// The timeout of each call after the login.
    private static let callTimeout = Duration.seconds(10)

    let handle: AMQPHandle

    /// Connects to the first host that accepts the login, in the order of ``BrokerAddress/hostsToTry(avoiding:)``. The
    /// addresses of a host are tried in the order of the resolver.
    ///
    /// - Parameters:
    ///   - address: the broker.
    ///   - last: the host that is tried last.
    ///   - resolver: returns the IP addresses of a host (``HostName``).
    ///   - name: the connection's name, as the broker shows it.
    ///   - interrupter: lets another thread end the login and all later blocking calls, but not the connecting itself.
    ///     If the initializer succeeds, the interrupter is armed, and the caller must disarm it before the handle is
    ///     released.
    init(
        address: BrokerAddress, avoiding last: BrokerAddress.Host?, resolver: (String) -> [String], name: String,
        interrupter: SocketInterrupter
    ) throws(AMQPError) {
        var failure: AMQPError?
        for host in address.hostsToTry(avoiding: last) {
            let resolved = resolver(host.name)
            // If the name cannot be resolved, rabbitmq-c reports the error.
            let targets = resolved.isEmpty ? [host.name] : resolved
            for target in targets where !interrupter.isInterrupted {
                do throws(AMQPError) {
                    handle = try Self.open(
                        target, host, address, name: name, interrupter, share: address.hosts.count * targets.count)
                    return
                } catch {
                    // If one of the hosts may accept the connection later, the attempt can be repeated.
                    if error.isTransient || failure?.isTransient != true { failure = error }
                }
            }
        }
        throw failure ?? AMQPError(.lost, "the attempt to connect was interrupted")
    }

    /// Connects to a host and logs in.
    ///
    /// - Parameters:
    ///   - target: an IP address of the host, or the host's name.
    ///   - host: the host.
    ///   - share: the number of addresses that share the timeouts.
    private static func open(
        _ target: String, _ host: BrokerAddress.Host, _ address: BrokerAddress, name: String,
        _ interrupter: SocketInterrupter, share: Int
    ) throws(AMQPError) -> AMQPHandle {
        guard let state = amqp_new_connection() else {
            throw AMQPError(.lost, "no memory for a connection")
        }
        var tls: UnsafeMutableRawPointer?
        do throws(AMQPError) {
            tls = try openSocket(state, target, host, address, timeout: max(connectTimeout / share, .seconds(1)))
            let descriptor = amqp_get_sockfd(state)
            guard interrupter.arm(descriptor) else { throw AMQPError(.lost, "the attempt to connect was interrupted") }
            setUserTimeout(descriptor, address)
            try login(state, address, name: name, timeout: max(loginTimeout / share, .seconds(1)))
        } catch {
            interrupter.disarm()
            amqp_destroy_connection(state)
            throw error
        }
        let handle = AMQPHandle(owning: state, tls: tls, host: host)
        // The heartbeat of rabbitmq-c is switched off, because ``AMQPConnection`` sends the heartbeats. If rabbitmq-c
        // also sent heartbeats, a read could send one in the middle of a frame that AMQPConnection has written only in
        // part. A send could also block for ever: if the send is not complete when the broker's heartbeat is overdue,
        // rabbitmq-c waits for input without a time limit (amqp_try_recv, version 0.11).
        // The frame size is doubled, because the broker may exceed the negotiated size. It adds headers such as
        // `x-death` and `x-delivery-count` even to a message whose headers already fill a frame.
        guard
            amqp_tune_connection(state, amqp_get_channel_max(state), Int32(clamping: 2 * handle.frameMaximum), 0)
                == Int32(AMQP_STATUS_OK.rawValue)
        else {
            interrupter.disarm()
            throw AMQPError(.lost, "no memory for frames")
        }
        var timeout = timeval(callTimeout)
        amqp_set_rpc_timeout(state, &timeout)
        return handle
    }

    private static func openSocket(
        _ state: amqp_connection_state_t, _ target: String, _ host: BrokerAddress.Host, _ address: BrokerAddress,
        timeout limit: Duration
    ) throws(AMQPError) -> UnsafeMutableRawPointer? {
        var timeout = timeval(limit)
        guard address.isTLS else {
            guard let socket = amqp_tcp_socket_new(state) else {
                throw AMQPError(.lost, "no memory for a socket")
            }
            try check(
                amqp_socket_open_noblock(socket, target, Int32(clamping: host.port), &timeout), "connecting",
                socketFailure: .unreachable)
            return nil
        }
        guard let socket = amqp_ssl_socket_new(state), let context = amqp_ssl_socket_get_context(socket) else {
            throw AMQPError(.insecure, "cannot create a TLS context")
        }
        amqp_ssl_socket_set_verify_peer(socket, address.verifiesPeer ? 1 : 0)
        // rabbitmq-c would compare the certificate with the IP address that it connects to. Instead, OpenSSL compares
        // it with the name, as a part of the check that `verify_peer` turns on.
        amqp_ssl_socket_set_verify_hostname(socket, 0)
        if let file = address.caCertificateFile {
            guard amqp_ssl_socket_set_cacert(socket, file) == Int32(AMQP_STATUS_OK.rawValue) else {
                throw AMQPError(.insecure, "cannot read certificates from cacertfile")
            }
        } else {
            _ = warren_tls_trust_system(context)
        }
        var tls: UnsafeMutableRawPointer?
        // A name in DNS can end in a dot, but not a name in a certificate.
        let name = host.name.hasSuffix(".") ? String(host.name.dropLast()) : host.name
        let status = name.withCString { name -> Int32? in
            var handshake = warren_tls_handshake(host: name, ssl: nil)
            return withUnsafeMutablePointer(to: &handshake) { handshake in
                guard warren_tls_before_handshake(context, handshake, address.verifiesPeer ? 1 : 0) == 1 else {
                    return nil
                }
                let status = amqp_socket_open_noblock(socket, target, Int32(clamping: host.port), &timeout)
                // If connecting failed, rabbitmq-c has freed the `SSL` object. Only the context is still valid.
                if status == Int32(AMQP_STATUS_OK.rawValue) { tls = handshake.pointee.ssl }
                warren_tls_after_handshake(context, tls)
                return status
            }
        }
        guard let status else { throw AMQPError(.insecure, "OpenSSL does not accept the host") }
        try check(status, "connecting", socketFailure: .unreachable)
        guard let tls else { throw AMQPError(.insecure, "OpenSSL did not report the connection's SSL object") }
        return tls
    }

    /// Makes the kernel drop the connection if sent data stays unacknowledged for two heartbeat intervals
    /// (TCP_USER_TIMEOUT, tcp(7)). The limit is at least 4 s. This is a safety net in addition to ``HeartbeatMonitor``.
    private static func setUserTimeout(_ descriptor: Int32, _ address: BrokerAddress) {
        var milliseconds = UInt32(clamping: max(2, address.heartbeat) * 2000)
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, socklen_t(MemoryLayout<UInt32>.size))
    }

    private static func login(
        _ state: amqp_connection_state_t, _ address: BrokerAddress, name: String, timeout limit: Duration
    ) throws(AMQPError) {
        var timeout = timeval(limit)
        amqp_set_handshake_timeout(state, &timeout)
        let reply = withClientProperties(name: name) { properties in
            warren_amqp_login(
                state, address.virtualHost, Int32(UInt16.max >> 5), Int32(AMQP_DEFAULT_FRAME_SIZE),
                Int32(clamping: address.heartbeat), properties, address.user, address.password)
        }
        try check(reply, "logging in")
    }

    /// Passes client properties to a closure: the capabilities that rabbitmq-c does not announce itself, and the
    /// connection's name.
    private static func withClientProperties<Result>(
        name: String, _ body: (UnsafePointer<amqp_table_t>) -> Result
    ) -> Result {
        func entry(_ key: StaticString, _ value: amqp_field_value_t) -> amqp_table_entry_t {
            let bytes = UnsafeMutableRawPointer(mutating: key.utf8Start)
            return amqp_table_entry_t(key: amqp_bytes_t(len: key.utf8CodeUnitCount, bytes: bytes), value: value)
        }
        var isSupported = amqp_field_value_t()
        isSupported.kind = UInt8(ascii: "t")
        isSupported.value.boolean = 1
        var capabilities = [
            entry("connection.blocked", isSupported), entry("consumer_cancel_notify", isSupported),
        ]
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
    /// Makes a timeval to pass to rabbitmq-c. rabbitmq-c copies it, or uses it only until the call returns.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
