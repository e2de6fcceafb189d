internal import Glibc
internal import Reactor

/// A socket address that a host's name resolved to.
struct RedisEndpoint: Sendable {
    let family: Int32
    let bytes: [UInt8]

    /// Resolves a name, off the loop: getaddrinfo(3) blocks for as long as the name servers take.
    static func resolve(_ host: String, port: Int) async throws(RedisError) -> [RedisEndpoint] {
        guard let outcome = await onOwnThread({ lookUp(host, port: port) }) else {
            throw RedisError(.unavailable, "the name was not looked up")
        }
        return try outcome.get()
    }

    private static func lookUp(_ host: String, port: Int) -> Result<[RedisEndpoint], RedisError> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            return .failure(RedisError(.unavailable, "\(host): \(String(cString: gai_strerror(code)))"))
        }
        defer { freeaddrinfo(list) }
        var endpoints: [RedisEndpoint] = []
        var entry = list
        while let current = entry?.pointee {
            let bytes = UnsafeRawBufferPointer(start: current.ai_addr, count: Int(current.ai_addrlen))
            endpoints.append(RedisEndpoint(family: current.ai_family, bytes: Array(bytes)))
            entry = current.ai_next
        }
        return .success(endpoints)
    }

    /// Opens a non-blocking socket and begins to connect it.
    ///
    /// - Returns: the descriptor, which the caller closes.
    func beginConnecting() throws(RedisError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw Self.failure("socket", errno) }
        for (level, name, value): (Int, Int32, Int32) in [
            (IPPROTO_TCP, TCP_NODELAY, 1), (Int(SOL_SOCKET), SO_KEEPALIVE, 1), (IPPROTO_TCP, TCP_KEEPIDLE, 30),
            (IPPROTO_TCP, TCP_KEEPINTVL, 10), (IPPROTO_TCP, TCP_KEEPCNT, 3),
        ] {
            // Without any of these the connection works too, only slower or slower to notice a dead peer.
            var value = value
            setsockopt(descriptor, Int32(level), name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        let code = bytes.withUnsafeBytes { bytes in
            connect(descriptor, bytes.bindMemory(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
        }
        guard code == 0 || errno == EINPROGRESS else {
            let error = Self.failure("connect", errno)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// How connecting ended, once the socket is writable (connect(2), EINPROGRESS).
    static func finishConnecting(_ descriptor: Int32) throws(RedisError) {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
            throw failure("getsockopt", errno)
        }
        guard code == 0 else { throw failure("connect", code) }
    }

    static func failure(_ call: String, _ code: Int32) -> RedisError {
        RedisError(.unavailable, "\(call): \(describe(code))")
    }

    static func describe(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "errno \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
