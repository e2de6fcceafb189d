internal import CPostgres
internal import Reactor

extension Connection {
    /// Takes every answer that has arrived in full.
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
                // COPY, which pipeline mode does not have.
                perform(.violation, nil)
            }
        }
        if isOpen, let number = overdue, pipeline.isAnswered(number) {
            overdue = nil
            pool?.unsuspect(self)
        }
    }

    private func perform(_ action: Pipeline<PendingQuery>.Action, _ result: ResultHandle?) {
        switch action {
        case .nothing:
            break
        case .answer(let query):
            guard let result else { return }
            query.finish(.success(Rows(result)))
        case .hold:
            held = result
        case .answerHeld(let query):
            pool?.finishedQuery(on: self)
            guard let result = held.take() else { return }
            query.finish(.success(Rows(result)))
        case .fail(let query, let error, let isShared, let stale):
            if isShared { pool?.finishedQuery(on: self) }
            if let stale { prepared.forget(stale) }
            held = nil
            query.finish(.failure(error))
        case .forget(let statement):
            prepared.forget(statement)
        case .violation where PQstatus(handle.pointer) == CONNECTION_BAD:
            loseForError()
        case .violation:
            lose(PostgresError(.protocolViolation, "the server's answer is not one to what was sent"))
        }
    }

    /// A query's deadline passed: nothing new is sent here, and if the answer is not there after a grace, the connection
    /// is given up. The others in its pipeline thereby survive one slow statement, but not a server that hangs.
    func overdue(_ number: UInt64) {
        guard isOpen, !pipeline.isAnswered(number) else { return }
        overdue = max(overdue ?? 0, number)
        pool?.suspect(self)
        Loop.schedule(after: .seconds(1)) { [weak self] in
            guard let self, self.isOpen, !self.pipeline.isAnswered(number) else { return }
            self.lose(PostgresError(.connectionLost, "a statement was overdue and the server did not answer"))
        }
    }
}
