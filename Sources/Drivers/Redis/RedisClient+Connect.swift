internal import Glibc
internal import Logging
internal import Reactor

extension RedisClient {
    /// The shortest time limit for one address of the host.
    private static let shortestShare: Duration = .milliseconds(500)

    /// Connects and logs in. Tries the addresses of the host in order, until one of them succeeds. They share the time
    /// limit equally, so that an address that does not answer leaves time for the others.
    func connect() async throws(RedisError) {
        let address = try await currentAddress()
        host = address.host
        var lastError = RedisError(.unavailable, "the host has no address")
        let endpoints = try await RedisEndpoint.resolve(address.host, port: address.port)
        let share = max(
            limits.connectTimeout / max(endpoints.count, 1), min(Self.shortestShare, limits.connectTimeout))
        for endpoint in endpoints {
            let deadline = ContinuousClock.now + share
            do throws(RedisError) {
                guard !isStopped else { throw RedisError(.unavailable, "the client was closed") }
                let descriptor = try await open(endpoint, until: deadline)
                let candidate = try RedisConnection(descriptor: descriptor, limits: limits)
                self.candidate = candidate
                try await logIn(over: candidate, address, until: deadline)
                let serverID = identifiesServer ? try await serverID(over: candidate, until: deadline) : ""
                guard candidate.isOpen, !isStopped else { throw RedisError(.unavailable, "the client was closed") }
                return establish(candidate, serverID, port: address.port)
            } catch {
                candidate?.close(error)
                lastError = error
                guard !isStopped, !Task.isCancelled else { break }
            }
        }
        throw lastError
    }

    /// Reads the address on a thread of its own, because it may be in a file.
    private func currentAddress() async throws(RedisError) -> RedisAddress {
        let address = address
        do {
            if let result = await onOwnThread({ Result { try address() } }) { return try result.get() }
        } catch {
            throw RedisError(.address, "\(error)")
        }
        throw RedisError(.unavailable, "the task was cancelled, or no thread could be created")
    }

    private func establish(_ candidate: RedisConnection, _ serverID: String, port: Int) {
        connection = candidate
        self.serverID = serverID
        self.candidate = nil
        lastFailure = nil
        log.info("connected to Redis", metadata: ["host": "\(host)", "port": "\(port)"])
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

    private func logIn(
        over connection: RedisConnection, _ address: RedisAddress, until deadline: ContinuousClock.Instant
    ) async throws(RedisError) {
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

    /// Asks a server for its `run_id`.
    private func serverID(
        over connection: RedisConnection, until deadline: ContinuousClock.Instant
    ) async throws(RedisError) -> String {
        let text = try await connection.call(["INFO", "server"], until: deadline).string ?? ""
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("run_id:") {
            return String(line.dropFirst("run_id:".count))
        }
        throw RedisError(.protocol, "the reply to INFO has no run_id")
    }
}
