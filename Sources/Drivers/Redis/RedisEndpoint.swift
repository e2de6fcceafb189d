internal import Glibc
internal import Reactor

/// A socket address of a server.
struct RedisEndpoint: Sendable {
    let family: Int32
    let bytes: [UInt8]

    /// Resolves a host name on a thread of its own, because getaddrinfo(3) blocks while it waits for the name servers.
    static func resolve(_ host: String, port: Int) async throws(RedisError) -> [RedisEndpoint] {
        let resolver = HostName.resolver
        let result = await onOwnThread { () -> Result<[RedisEndpoint], RedisError> in
            do throws(RedisError) {
                let addresses = resolver(host)
                var endpoints: [RedisEndpoint] = []
                // If the name cannot be resolved, looking it up again reports the reason.
                for address in addresses.isEmpty ? [host] : addresses {
                    endpoints += try lookUp(address, port: port)
                }
                return .success(endpoints)
            } catch {
                return .failure(error)
            }
        }
        guard let result else {
            throw RedisError(
                .unavailable,
                "the host name was not resolved: the task was cancelled, or no thread could be created")
        }
        return try result.get()
    }

    private static func lookUp(_ host: String, port: Int) throws(RedisError) -> [RedisEndpoint] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw RedisError(.unavailable, "\(host): \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(list) }
        var endpoints: [RedisEndpoint] = []
        var entry = list
        while let current = entry?.pointee {
            let bytes = UnsafeRawBufferPointer(start: current.ai_addr, count: Int(current.ai_addrlen))
            endpoints.append(RedisEndpoint(family: current.ai_family, bytes: Array(bytes)))
            entry = current.ai_next
        }
        return endpoints
    }

    /// Opens a non-blocking socket and starts to connect it.
    ///
    /// - Returns: the descriptor, which the caller closes.
    func beginConnecting() throws(RedisError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else {
            throw RedisError(.unavailable, "cannot open a socket", cause: SystemError.last("socket"))
        }
        for (level, name, value): (Int, Int32, Int32) in [
            (IPPROTO_TCP, TCP_NODELAY, 1), (Int(SOL_SOCKET), SO_KEEPALIVE, 1), (IPPROTO_TCP, TCP_KEEPIDLE, 30),
            (IPPROTO_TCP, TCP_KEEPINTVL, 10), (IPPROTO_TCP, TCP_KEEPCNT, 3),
        ] {
            // The result is ignored, because the connection also works without these options. It then has more latency,
            // or detects a dead peer later.
            var value = value
            setsockopt(descriptor, Int32(level), name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        let code = bytes.withUnsafeBytes { bytes in
            connect(descriptor, bytes.bindMemory(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
        }
        guard code == 0 || errno == EINPROGRESS else {
            let error = RedisError(.unavailable, "cannot connect", cause: SystemError.last("connect"))
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Throws the error of the connection attempt, if it failed. Call it when the socket is writable (connect(2),
    /// EINPROGRESS).
    static func finishConnecting(_ descriptor: Int32) throws(RedisError) {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
            throw RedisError(.unavailable, "cannot connect", cause: SystemError.last("getsockopt"))
        }
        guard code == 0 else {
            throw RedisError(.unavailable, "cannot connect", cause: SystemError(call: "connect", errno: code))
        }
    }
}
