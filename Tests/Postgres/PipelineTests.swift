import Testing

@testable import Postgres

@Suite("Pipeline state")
struct PipelineTests {
    private typealias Machine = Pipeline<String>

    private func statement(_ name: String) -> PreparedStatement {
        PreparedStatement(statement: 0, name: name, types: [])
    }

    private func error(_ state: String) -> PostgresError {
        PostgresError(.sqlState(state), "test", sqlState: state)
    }

    private func describe(_ action: Machine.Action?) -> String? {
        switch action {
        case nil: nil
        case .succeed(let query): "succeed \(query)"
        case .awaitCommit: "await commit"
        case .succeedAtCommit(let query): "succeed at commit \(query)"
        case .fail(let query, let error, _, let stale): "fail \(query) \(error.code)\(stale == nil ? "" : " stale")"
        case .forget(let prepared): "forget \(prepared.name)"
        case .violation: "violation"
        }
    }

    @Test("an autocommit query succeeds when its commit is confirmed, not before")
    func commit() {
        var machine = Machine()
        _ = machine.append("a", statement("s"), isAutocommit: true)
        machine.appendSync()
        #expect(describe(machine.receive(.success)) == "await commit")
        #expect(describe(machine.receive(.end)) == nil)
        #expect(!machine.isAnswered(1))
        #expect(describe(machine.receive(.sync)) == "succeed at commit a")
        #expect(machine.isAnswered(1))
        #expect(machine.isEmpty)
    }

    @Test("an autocommit query fails if its commit fails")
    func failingCommit() {
        var machine = Machine()
        _ = machine.append("a", statement("s"), isAutocommit: true)
        machine.appendSync()
        _ = machine.receive(.success)
        _ = machine.receive(.end)
        #expect(describe(machine.receive(.failure(error("23503")))) == "fail a sqlstate-23503")
        #expect(describe(machine.receive(.end)) == nil)
        #expect(describe(machine.receive(.sync)) == nil)
        #expect(machine.isEmpty)
    }

    @Test("a failed query aborts the later queries of its segment and no others")
    func segments() {
        var machine = Machine()
        for name in ["a", "b", "c"] { _ = machine.append(name, statement("s"), isAutocommit: false) }
        machine.appendSync()
        _ = machine.append("d", statement("s"), isAutocommit: false)
        machine.appendSync()
        #expect(describe(machine.receive(.success)) == "succeed a")
        _ = machine.receive(.end)
        #expect(describe(machine.receive(.failure(error("23505")))) == "fail b sqlstate-23505")
        _ = machine.receive(.end)
        #expect(describe(machine.receive(.aborted)) == "fail c aborted")
        _ = machine.receive(.end)
        _ = machine.receive(.sync)
        #expect(describe(machine.receive(.success)) == "succeed d")
    }

    @Test("queries of a statement that could not be prepared fail for that reason, and the statement is forgotten")
    func failingPreparation() {
        var machine = Machine()
        let prepared = statement("s1")
        machine.appendPrepare(prepared)
        _ = machine.append("a", prepared, isAutocommit: true)
        machine.appendSync()
        _ = machine.append("b", prepared, isAutocommit: true)
        machine.appendSync()
        #expect(describe(machine.receive(.failure(error("42P01")))) == "forget s1")
        _ = machine.receive(.end)
        #expect(describe(machine.receive(.aborted)) == "fail a sqlstate-42P01")
        _ = machine.receive(.end)
        _ = machine.receive(.sync)
        #expect(describe(machine.receive(.failure(error("26000")))) == "fail b sqlstate-42P01")
    }

    @Test("a query whose cached plan is stale reports the statement as stale")
    func stale() {
        var machine = Machine()
        _ = machine.append("a", statement("s"), isAutocommit: false)
        #expect(describe(machine.receive(.failure(error("0A000")))) == "fail a sqlstate-0A000 stale")
    }

    @Test("draining a pipeline returns exactly the queries without an answer")
    func drain() {
        var machine = Machine()
        _ = machine.append("a", statement("s"), isAutocommit: true)
        machine.appendSync()
        _ = machine.append("b", statement("s"), isAutocommit: false)
        _ = machine.append("c", statement("s"), isAutocommit: false)
        _ = machine.receive(.success)
        var afterResponse = machine
        #expect(afterResponse.drain() == ["a", "b", "c"])
        _ = machine.receive(.end)
        var afterEnd = machine
        #expect(afterEnd.drain() == ["a", "b", "c"])
        _ = machine.receive(.sync)
        _ = machine.receive(.success)
        #expect(machine.drain() == ["c"])
        #expect(machine.isEmpty)
    }

    @Test("an unexpected response is a protocol violation, not a trap")
    func violations() {
        var machine = Machine()
        #expect(describe(machine.receive(.success)) == "violation")
        _ = machine.append("a", statement("s"), isAutocommit: false)
        #expect(describe(machine.receive(.sync)) == "violation")
        #expect(describe(machine.receive(.end)) == "violation")
        _ = machine.receive(.success)
        #expect(describe(machine.receive(.success)) == "violation")
    }

    @Test("a statement is prepared again for parameters of other types")
    func types() {
        var table = PreparedTable()
        let statement = Statement("SELECT $1")
        let (first, isNew) = table.use(statement, types: [20])
        #expect(isNew)
        #expect(!table.use(statement, types: [20]).isNew)
        let (second, isAnother) = table.use(statement, types: [25])
        #expect(isAnother && second.name != first.name)
        table.forget(first)
        #expect(!table.use(statement, types: [25]).isNew)
        table.forget(second)
        #expect(table.use(statement, types: [25]).isNew)
    }
}
