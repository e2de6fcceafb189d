internal import Logging
internal import Reactor

extension PostgresPool {
    /// How long making a connection may take.
    private static let connectLimit = Duration.seconds(10)

    /// Keeps the connections open, making lost ones anew with back-off, until `close` is done or the task is cancelled.
    ///
    /// A pool runs once; a second call returns at once.
    package func run() async {
        guard !isRunning, !closed.isOpen else { return }
        isRunning = true
        let hook = Loop.atEndOfTurn { [weak self] in self?.finishTurn() }
        await withTaskGroup(of: Void.self) { group in
            for slot in 0..<state.size {
                group.addTask { await self.keepOpen(slot) }
            }
            group.addTask { _ = await self.closed.wait() }
            await group.next()
            group.cancelAll()
        }
        hook.cancel()
        state.close()
        refuseWaiting()
        ended.open()
    }

    /// Takes no more statements, waits for what is under way, and closes the connections; `run()` then returns.
    ///
    /// - Parameter limit: how long at most to wait; what is still under way then fails with
    ///   ``PostgresError/Code/connectionLost``.
    package func close(within limit: Duration) async {
        state.close()
        settle()
        _ = await drained.wait(until: ContinuousClock.now + limit)
        closed.open()
        guard isRunning else { return refuseWaiting() }
        _ = await ended.wait()
    }

    private func keepOpen(_ slot: Int) async {
        var backoff = Backoff(.milliseconds(100) ... .seconds(5))
        while !closed.isOpen, !Task.isCancelled {
            do {
                let connection = try await open(slot)
                backoff.reset()
                _ = await connection.ended.wait()
                connection.lose(PostgresError(.connectionLost, "the pool was closed"))
            } catch {
                if Task.isCancelled { return }
                state.connectFailed(slot)
                connectError = error
                if state.availability == .unavailable { refuseWaiting() }
                // Told loudly once per connection and outage: the further attempts say nothing new.
                let level: Logger.Level = backoff.isReset ? .warning : .debug
                let delay = backoff.next()
                log.log(
                    level: level, "cannot connect to the database",
                    metadata: ["connection": "\(slot)", "error": "\(error)", "retry-in": "\(delay)"])
                _ = await closed.wait(until: ContinuousClock.now + delay)
            }
        }
    }

    private func open(_ slot: Int) async throws(PostgresError) -> Connection {
        let deadline = ContinuousClock.now + Self.connectLimit
        let handle = try await Connector.connect(url, until: deadline, log: log)
        let connection = try Connection(handle, slot: slot, pool: self)
        connections[slot] = connection
        do {
            try await prepare(connection, until: deadline)
        } catch {
            connections[slot] = nil
            connection.lose(error)
            throw error
        }
        state.opened(slot)
        log.info("connected to the database", metadata: ["connection": "\(slot)"])
        settle()
        return connection
    }

    /// Makes the server look, during long statements, whether we are still there: dropping a connection then ends what it
    /// was doing. Also the proof that the connection answers.
    private func prepare(_ connection: Connection, until deadline: ContinuousClock.Instant) async throws(PostgresError)
    {
        let query = PendingQuery()
        var none = ParameterBuffer()
        connection.send(query, .checkClient, &none, isShared: false)
        query.expire(at: deadline) { query in
            query.finish(.failure(PostgresError(.deadlineExceeded, "the server did not answer in time")))
        }
        do {
            _ = try await query.rows()
        } catch {
            // Servers before 14, and systems without the means, do not have the setting: they do without.
            guard error.sqlState == "42704" || error.sqlState == "22023" else { throw error }
        }
    }
}

extension Statement {
    static let checkClient = Statement("SELECT set_config('client_connection_check_interval', '2s', false)")
}
