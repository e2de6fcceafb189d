internal import Glibc
internal import Logging
internal import Reactor

extension RedisClient {
    /// Connects to the first of the host's addresses that takes the connection, and logs in.
    func connect() async throws(RedisError) {
        let deadline = ContinuousClock.now + limits.connectTimeout
        var last = RedisError(.unavailable, "the host has no address")
        for endpoint in try await RedisEndpoint.resolve(address.host, port: address.port) {
            do throws(RedisError) {
                let descriptor = try await open(endpoint, until: deadline)
                let candidate = try RedisConnection(descriptor: descriptor, limits: limits)
                self.candidate = candidate
                try await logIn(over: candidate, until: deadline)
                guard candidate.isOpen, !isClosed else { throw RedisError(.unavailable, "the client was closed") }
                return establish(candidate)
            } catch {
                candidate?.close(error)
                last = error
                guard !isClosed, !Task.isCancelled, ContinuousClock.now < deadline else { break }
            }
        }
        throw last
    }

    private func establish(_ candidate: RedisConnection) {
        connection = candidate
        self.candidate = nil
        lastFailure = nil
        log.info("redis connected", metadata: ["host": "\(address.host)", "port": "\(address.port)"])
        onConnect?()
    }

    private func open(_ endpoint: RedisEndpoint, until deadline: ContinuousClock.Instant) async throws(RedisError)
        -> Int32
    {
        let descriptor = try endpoint.beginConnecting()
        do throws(RedisError) {
            let interruption = Interruption()
            var isReady = false
            let watch: LoopWatch
            do {
                watch = try Loop.watch(descriptor, for: .writable) { _ in
                    isReady = true
                    interruption.finish()
                }
            } catch {
                throw RedisEndpoint.failure(error.call, error.errno)
            }
            await wait(interruption, atMost: deadline - .now)
            watch.cancel()
            guard isReady else { throw RedisError(.unavailable, "no connection in time") }
            try RedisEndpoint.finishConnecting(descriptor)
            return descriptor
        } catch {
            Glibc.close(descriptor)
            throw error
        }
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
        // Sent in any case: it shows whether this is a Redis server and whether it wants a password.
        _ = try await connection.call(["CLIENT", "SETNAME", .string(name)], until: deadline)
    }
}
