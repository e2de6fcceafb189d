internal import Glibc
internal import Logging
internal import Reactor

extension RedisClient {
    /// Connects and logs in. Tries the addresses of the host in order, until one of them succeeds.
    func connect() async throws(RedisError) {
        let deadline = ContinuousClock.now + limits.connectTimeout
        var lastError = RedisError(.unavailable, "the host has no address")
        for endpoint in try await RedisEndpoint.resolve(address.host, port: address.port) {
            do throws(RedisError) {
                guard !isStopped else { throw RedisError(.unavailable, "the client was closed") }
                let descriptor = try await open(endpoint, until: deadline)
                let candidate = try RedisConnection(descriptor: descriptor, limits: limits)
                self.candidate = candidate
                try await logIn(over: candidate, until: deadline)
                guard candidate.isOpen, !isStopped else { throw RedisError(.unavailable, "the client was closed") }
                return establish(candidate)
            } catch {
                candidate?.close(error)
                lastError = error
                guard !isStopped, !Task.isCancelled, ContinuousClock.now < deadline else { break }
            }
        }
        throw lastError
    }

    private func establish(_ candidate: RedisConnection) {
        connection = candidate
        self.candidate = nil
        lastFailure = nil
        log.info("connected to Redis", metadata: ["host": "\(address.host)", "port": "\(address.port)"])
        onConnect?()
    }

    /// Opens a socket and connects it.
    ///
    /// - Returns: the descriptor, which the caller closes.
    private func open(
        _ endpoint: RedisEndpoint, until deadline: ContinuousClock.Instant
    ) async throws(RedisError) -> Int32 {
        let descriptor = try endpoint.beginConnecting()
        do throws(RedisError) {
            try await waitUntilWritable(descriptor, until: deadline)
            try RedisEndpoint.finishConnecting(descriptor)
            return descriptor
        } catch {
            Glibc.close(descriptor)
            throw error
        }
    }

    private func waitUntilWritable(
        _ descriptor: Int32, until deadline: ContinuousClock.Instant
    ) async throws(RedisError) {
        let waiter = Waiter<Readiness>()
        socketWait = waiter
        defer { socketWait = nil }
        do throws(SystemError) {
            let readiness = try await Loop.waitUntilReady(
                descriptor, for: .writable, until: deadline, using: waiter)
            guard readiness == nil else { return }
        } catch {
            throw RedisError(.unavailable, "cannot watch the socket", cause: error)
        }
        throw RedisError(.unavailable, "the server did not accept the connection in time")
    }

    private func logIn(over connection: RedisConnection, until deadline: ContinuousClock.Instant)
        async throws(RedisError)
    {
        if let password = address.password {
            let user = address.user.map { [RedisArgument($0)] } ?? []
            _ = try await connection.call(["AUTH"] + user + [.string(password)], until: deadline)
        }
        if address.database != 0 {
            _ = try await connection.call(["SELECT", .integer(address.database)], until: deadline)
        }
        // Sent on every connection, because the reply also shows whether the server is a Redis server and whether it
        // requires a password.
        _ = try await connection.call(["CLIENT", "SETNAME", .string(name)], until: deadline)
    }
}
