internal import CPostgres
internal import Glibc
internal import Reactor

extension Connection {
    /// Sends a statement, preparing it first in the same flight if this connection does not know it yet.
    ///
    /// - Parameter isShared: whether it commits by itself; then it has a segment of the pipeline to itself, so that its
    ///   failure is its own.
    func send(_ query: PendingQuery, _ statement: Statement, _ parameters: inout ParameterBuffer, isShared: Bool) {
        guard isOpen else { return query.finish(.failure(PostgresError(.connectionLost, "the connection is closed"))) }
        if segment == .shared || (isShared && segment == .leased) {
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
        query.place = .sent(self, number: pipeline.append(query, prepared, isShared: isShared))
        guard isSent else { return loseForError() }
        segment = isShared ? .shared : .leased
        markDirty()
    }

    /// Ends what was sent in this turn with a sync and hands it to the kernel.
    func finishTurn() {
        isDirty = false
        guard isOpen else { return }
        if segment != .none { sync() }
        uncork()
        flush()
    }

    private func markDirty() {
        guard !isDirty else { return }
        isDirty = true
        pool?.addDirty(self)
    }

    private func sync() {
        segment = .none
        pipeline.appendSync()
        // This also flushes (libpq 15, PQpipelineSync).
        if PQpipelineSync(handle.pointer) != 1 { loseForError() }
    }

    /// Keeps the kernel from sending one packet per sync while a turn has several; fails unnoticed on Unix sockets,
    /// which have no packets.
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
