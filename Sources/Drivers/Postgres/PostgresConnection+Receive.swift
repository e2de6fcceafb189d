internal import CPostgres
internal import Reactor

extension PostgresConnection {
    /// Reads all results that have arrived completely, and performs the actions of the pipeline.
    func receive() {
        while isOpen, PQisBusy(handle.pointer) == 0, !pipeline.isEmpty {
            guard let result = PQgetResult(handle.pointer) else {
                perform(pipeline.receive(.end), nil)
                continue
            }
            let owner = ResultHandle(result)
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                perform(pipeline.receive(.success), owner)
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
                perform(pipeline.receive(.failure(PostgresError(result: result))), nil)
            case PGRES_PIPELINE_ABORTED:
                perform(pipeline.receive(.aborted), nil)
            case PGRES_PIPELINE_SYNC:
                perform(pipeline.receive(.sync), nil)
            default:
                // No other status is expected. Pipeline mode does not allow COPY, and single-row mode is not used.
                perform(.violation, nil)
            }
        }
        if isOpen, let number = overdueQuery, pipeline.isAnswered(number) {
            overdueQuery = nil
            if !isRetired { pool?.resumeUse(of: self) }
        }
        closeIfRetired()
    }

    private func perform(_ action: Pipeline<PendingQuery>.Action?, _ result: ResultHandle?) {
        switch action {
        case nil:
            break
        case .succeed(let query):
            guard let result else { return }
            query.finish(.success(Rows(result)))
        case .awaitCommit:
            uncommittedResult = result
        case .succeedAtCommit(let query):
            pool?.finishedQuery(on: self)
            guard let result = uncommittedResult.take() else { return }
            query.finish(.success(Rows(result)))
        case .fail(let query, let error, let isAutocommit, let stale):
            if isAutocommit { pool?.finishedQuery(on: self) }
            if let stale { prepared.forget(stale) }
            uncommittedResult = nil
            if error.isOfReadOnlySession { pool?.foundReadOnly(self) }
            query.finish(.failure(error))
        case .forget(let statement):
            prepared.forget(statement)
        case .violation where PQstatus(handle.pointer) == CONNECTION_BAD:
            closeWithLibraryError()
        case .violation:
            close(
                failingWith: PostgresError(.protocolViolation, "the server sent a result that no statement asked for"))
        }
    }

    /// Handles a query whose deadline passed. The pool sends no further statements over this connection until the
    /// server answers the query. If the server does not answer within one second, the connection is closed.
    ///
    /// If the server answers within this second, the other statements in the pipeline continue. Otherwise they fail
    /// with the code `connectionLost`.
    func queryIsOverdue(_ number: UInt64) {
        guard isOpen, !pipeline.isAnswered(number) else { return }
        overdueQuery = max(overdueQuery ?? 0, number)
        pool?.pauseUse(of: self)
        Loop.schedule(after: .seconds(1)) { [weak self] in
            guard let self, self.isOpen, !self.pipeline.isAnswered(number) else { return }
            self.close(failingWith: PostgresError(.connectionLost, "the server did not answer an overdue statement"))
        }
    }
}
