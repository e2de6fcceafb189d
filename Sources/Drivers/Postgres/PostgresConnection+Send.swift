internal import CPostgres
internal import Glibc
internal import Reactor

extension PostgresConnection {
    /// Sends a statement, and prepares it first, in the same round trip, if this connection has not done so yet.
    ///
    /// - Parameter isAutocommit: whether the statement commits by itself. It then has a segment of the pipeline
    ///   to itself, so that a failure affects no other statement.
    func send(
        _ query: PendingQuery, _ statement: Statement, _ parameters: inout ParameterBuffer, isAutocommit: Bool
    ) {
        guard isOpen else { return query.finish(.failure(PostgresError(.connectionLost, "the connection is closed"))) }
        if segment == .autocommit || (isAutocommit && segment == .transaction) {
            cork()
            sync()
            guard isOpen else {
                return query.finish(.failure(PostgresError(.connectionLost, "the connection broke")))
            }
        }
        let (prepared, isNew) = prepared.use(statement, types: parameters.types)
        var isSent = true
        if isNew {
            isSent =
                PQsendPrepare(
                    handle.pointer, prepared.name, statement.sql, Int32(prepared.types.count), prepared.types) == 1
            pipeline.appendPrepare(prepared)
        }
        if isSent {
            isSent = parameters.withArrays { count, values, lengths, formats in
                PQsendQueryPrepared(handle.pointer, prepared.name, count, values, lengths, formats, 1) == 1
            }
        }
        query.stage = .sent(self, number: pipeline.append(query, prepared, isAutocommit: isAutocommit))
        guard isSent else { return loseForError() }
        segment = isAutocommit ? .autocommit : .transaction
        if !needsFlush {
            needsFlush = true
            pool?.flushAtEndOfTurn(self)
        }
    }

    /// Ends the segment of this turn with a sync and writes the output to the socket.
    func finishTurn() {
        needsFlush = false
        guard isOpen else { return }
        if segment != .empty { sync() }
        uncork()
        flush()
    }

    private func sync() {
        segment = .empty
        pipeline.appendSync()
        // This also flushes (PQpipelineSync in libpq 15).
        if PQpipelineSync(handle.pointer) != 1 { loseForError() }
    }

    /// Keeps the kernel from sending a packet per sync in a turn with several syncs (TCP_CORK in tcp(7)).
    ///
    /// The option fails on a Unix socket, which has no packets.
    private func cork() {
        guard !isCorked else { return }
        isCorked = true
        setCork(1)
    }

    private func uncork() {
        guard isCorked else { return }
        isCorked = false
        setCork(0)
    }

    private func setCork(_ value: Int32) {
        var value = value
        setsockopt(
            handle.descriptor, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
