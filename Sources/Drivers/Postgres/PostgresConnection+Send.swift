internal import CPostgres
internal import Glibc
internal import Reactor

extension PostgresConnection {
    /// Sends a statement. If this connection has not prepared the statement yet, also prepares it, in the same round
    /// trip.
    ///
    /// - Parameter isAutocommit: whether the statement commits by itself. An autocommit statement has a segment of the
    ///   pipeline to itself, so that its failure affects no other statement.
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
        guard isSent else { return closeWithLibraryError() }
        segment = isAutocommit ? .autocommit : .transaction
        if !needsFlush {
            needsFlush = true
            pool?.flushAtEndOfTurn(self)
        }
    }

    /// Ends the current segment with a sync, and writes the output to the socket.
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
        // PQpipelineSync also writes the output to the socket (libpq 15).
        if PQpipelineSync(handle.pointer) != 1 { closeWithLibraryError() }
    }

    /// Makes the kernel collect output until ``uncork()``, because it would otherwise send a packet for each sync of
    /// the turn (TCP_CORK in tcp(7)).
    ///
    /// A Unix socket does not have this option. The failure to set it is ignored.
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
