internal import Logging
internal import Reactor

extension PostgresPool {
    /// The time limit of making a connection.
    private static let connectLimit = Duration.seconds(10)

    /// Opens the connections and replaces lost connections, with backoff, until the pool is closed or the task is
    /// cancelled.
    ///
    /// A pool can run only once. A second call returns at once.
    package func run() async {
        guard !isRunning, !closed.isFired else { return }
        isRunning = true
        let hook = Loop.atEndOfTurn { [weak self] in self?.finishTurn() }
        await withTaskGroup(of: Void.self) { group in
            for slot in 0..<state.size {
                group.addTask { await self.keepConnected(slot) }
            }
            group.addTask { await self.runLivenessChecks() }
            group.addTask { _ = await self.closed.wait() }
            await group.next()
            group.cancelAll()
        }
        hook.cancel()
        state.close()
        failWaiting()
        ended.fire()
    }

    /// Refuses new statements and transactions, waits for the others to end, and closes the connections. `run()` then
    /// returns.
    ///
    /// - Parameter limit: the maximum time to wait. Statements that are still in flight after this time fail with the
    ///   code `connectionLost`.
    package func close(within limit: Duration) async {
        state.close()
        serveWaiting()
        _ = await drained.wait(within: limit)
        closed.fire()
        guard isRunning else { return failWaiting() }
        _ = await ended.wait()
    }

    private func keepConnected(_ slot: Int) async {
        var backoff = Backoff(.milliseconds(100) ... .seconds(3))
        while !closed.isFired, !Task.isCancelled {
            do {
                let connection = try await connect(slot)
                backoff.reset()
                _ = await connection.ended.wait()
                // If the connection was lost, it is closed already, and this call does nothing.
                connection.close(failingWith: PostgresError(.connectionLost, "the pool was closed"))
            } catch {
                if Task.isCancelled { return }
                state.connectFailed(slot)
                connectError = error
                if state.availability == .unavailable { failWaiting() }
                reportAvailability()
                // Only the first failed attempt of an outage is a warning, because the next attempts usually fail for
                // the same reason.
                let level: Logger.Level = backoff.isReset ? .warning : .debug
                let delay = backoff.next()
                log.log(
                    level: level, "cannot connect to the database",
                    metadata: ["connection": "\(slot)", "error": "\(error)", "retry-in": "\(delay)"])
                _ = await closed.wait(within: delay)
            }
        }
    }

    private func connect(_ slot: Int) async throws(PostgresError) -> PostgresConnection {
        let handle = try await PostgresHandle.connect(url, within: Self.connectLimit, log: log)
        let deadline = ContinuousClock.now + Self.connectLimit
        let connection = try PostgresConnection(handle, slot: slot, pool: self)
        connections[slot] = connection
        do {
            try await configure(connection, until: deadline)
        } catch {
            connections[slot] = nil
            connection.close(failingWith: error)
            throw error
        }
        state.opened(slot)
        log.info("connected to the database", metadata: ["connection": "\(slot)"])
        checkForWrites(connection)
        reportAvailability()
        serveWaiting()
        return connection
    }

    /// Sends the settings of a new connection. This function waits for the server's responses, which also prove that
    /// the connection works.
    private func configure(
        _ connection: PostgresConnection, until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) {
        for setting in Statement.connectionSettings {
            let query = PendingQuery()
            var noParameters = ParameterBuffer()
            connection.send(query, setting, &noParameters, isAutocommit: false)
            query.setDeadline(deadline) { query in
                query.finish(.failure(PostgresError(.deadlineExceeded, "the server did not answer in time")))
            }
            do {
                _ = try await query.rows()
            } catch {
                guard error.isUnsupportedSetting else { throw error }
            }
        }
    }
}

extension PostgresError {
    /// Whether a setting is unknown to an old server (42704), or invalid on some systems (22023).
    var isUnsupportedSetting: Bool { sqlState == "42704" || sqlState == "22023" }
}

extension Statement {
    /// The settings of each connection. Each statement is optional (``PostgresError/isUnsupportedSetting``).
    static let connectionSettings = [
        // While the server runs a long statement, it checks whether the connection is still open. If the connection was
        // closed, the server ends the statement.
        Statement("SELECT set_config('client_connection_check_interval', '2s', false)"),
        // If this process or its network is gone, the server notices it within a minute, also while it sends a result,
        // and rolls the transaction back. Otherwise the locks of the transaction would stay for two hours, the default
        // of Linux.
        Statement(
            """
            SELECT set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
                set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '60s', false)
            """),
        // A transaction waits for its worker only between two statements.
        Statement("SELECT set_config('idle_in_transaction_session_timeout', '60s', false)"),
        // Statements take milliseconds, and just-in-time compilation would take tens of milliseconds more. The startup
        // parameter `options` could set it as well, but some connection poolers refuse `options`.
        Statement("SELECT set_config('jit', 'off', false)"),
    ]
}
