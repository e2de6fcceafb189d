import Testing

@testable import Postgres

@Suite("What the answers of a pipeline mean")
struct PipelineTests {
    private typealias Machine = Pipeline<String>

    private func statement(_ name: String) -> PreparedStatement {
        PreparedStatement(statement: 0, name: name, types: [])
    }

    private func error(_ state: String) -> PostgresError {
        PostgresError(storage: PostgresError.Storage(code: .sqlState(state), sqlState: state, message: "test"))
    }

    private func describe(_ action: Machine.Action) -> String {
        switch action {
        case .nothing: "nothing"
        case .answer(let query): "answer \(query)"
        case .hold: "hold"
        case .answerHeld(let query): "answer held \(query)"
        case .fail(let query, let error, _, let stale): "fail \(query) \(error.code)\(stale == nil ? "" : " stale")"
        case .forget(let prepared): "forget \(prepared.name)"
        case .violation: "violation"
        }
    }

    @Test("a shared statement is answered when its commit is, not before")
    func held() {
        var machine = Machine()
        _ = machine.append("a", statement("s"), isShared: true)
        machine.appendSync()
        #expect(describe(machine.receive(.success)) == "hold")
        #expect(describe(machine.receive(.end)) == "nothing")
        #expect(!machine.isAnswered(1))
        #expect(describe(machine.receive(.sync)) == "answer held a")
        #expect(machine.isAnswered(1))
        #expect(machine.isEmpty)
    }

    @Test("a commit that fails is the failure of its statement")
    func failingCommit() {
        var machine = Machine()
        _ = machine.append("a", statement("s"), isShared: true)
        machine.appendSync()
        _ = machine.receive(.success)
        _ = machine.receive(.end)
        #expect(describe(machine.receive(.failure(error("23503")))) == "fail a sqlstate-23503")
        #expect(describe(machine.receive(.end)) == "nothing")
        #expect(describe(machine.receive(.sync)) == "nothing")
        #expect(machine.isEmpty)
    }

    @Test("an error takes the rest of its segment with it and nothing beyond")
    func segments() {
        var machine = Machine()
        for name in ["a", "b", "c"] { _ = machine.append(name, statement("s"), isShared: false) }
        machine.appendSync()
        _ = machine.append("d", statement("s"), isShared: false)
        machine.appendSync()
        #expect(describe(machine.receive(.success)) == "answer a")
        _ = machine.receive(.end)
        #expect(describe(machine.receive(.failure(error("23505")))) == "fail b sqlstate-23505")
        _ = machine.receive(.end)
        #expect(describe(machine.receive(.aborted)) == "fail c aborted")
        _ = machine.receive(.end)
        _ = machine.receive(.sync)
        #expect(describe(machine.receive(.success)) == "answer d")
    }

    @Test("a statement that could not be prepared fails with the reason, and is prepared anew the next time")
    func failingPreparation() {
        var machine = Machine()
        let prepared = statement("s1")
        machine.appendPrepare(prepared)
        _ = machine.append("a", prepared, isShared: true)
        machine.appendSync()
        _ = machine.append("b", prepared, isShared: true)
        machine.appendSync()
        #expect(describe(machine.receive(.failure(error("42P01")))) == "forget s1")
        _ = machine.receive(.end)
        #expect(describe(machine.receive(.aborted)) == "fail a sqlstate-42P01")
        _ = machine.receive(.end)
        _ = machine.receive(.sync)
        #expect(describe(machine.receive(.failure(error("26000")))) == "fail b sqlstate-42P01")
    }

    @Test("a plan that a change of schema made stale is forgotten")
    func stale() {
        var machine = Machine()
        _ = machine.append("a", statement("s"), isShared: false)
        #expect(describe(machine.receive(.failure(error("0A000")))) == "fail a sqlstate-0A000 stale")
    }

    @Test("when the connection is lost, exactly those without an answer are taken out")
    func drain() {
        var machine = Machine()
        _ = machine.append("a", statement("s"), isShared: true)
        machine.appendSync()
        _ = machine.append("b", statement("s"), isShared: false)
        _ = machine.append("c", statement("s"), isShared: false)
        _ = machine.receive(.success)
        var afterReply = machine
        #expect(afterReply.drain() == ["a", "b", "c"])
        _ = machine.receive(.end)
        var afterEnd = machine
        #expect(afterEnd.drain() == ["a", "b", "c"])
        _ = machine.receive(.sync)
        _ = machine.receive(.success)
        #expect(machine.drain() == ["c"])
        #expect(machine.isEmpty)
    }

    @Test("an answer to nothing, or a second one, breaks the protocol and traps nobody")
    func violations() {
        var machine = Machine()
        #expect(describe(machine.receive(.success)) == "violation")
        _ = machine.append("a", statement("s"), isShared: false)
        #expect(describe(machine.receive(.sync)) == "violation")
        #expect(describe(machine.receive(.end)) == "violation")
        _ = machine.receive(.success)
        #expect(describe(machine.receive(.success)) == "violation")
    }

    @Test("a statement used with other types is prepared for them")
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
