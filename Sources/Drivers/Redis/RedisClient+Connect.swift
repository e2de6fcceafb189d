internal import Glibc
internal import Logging
internal import Reactor

extension RedisClient {
    /// Connects to the first of the host's addresses that accepts a connection, and logs in.
    func connect() async throws(RedisError) {
        let deadline = ContinuousClock.now + limits.connectTimeout
        var last = RedisError(.unavailable, "the host has no address")
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
                last = error
                guard !isStopped, !Task.isCancelled, ContinuousClock.now < deadline else { break }
            }
        }
        throw last
    }

    private func establish(_ candidate: RedisConnection) {
        connection = candidate
        self.candidate = nil
        lastFailure = nil
        log.info("connected to redis", metadata: ["host": "\(address.host)", "port": "\(address.port)"])
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
        throw RedisError(.unavailable, "not connected in time")
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
        // Sent for every connection, because the reply shows whether this is a Redis server and needs a password.
        _ = try await connection.call(["CLIENT", "SETNAME", .string(name)], until: deadline)
    }
}
