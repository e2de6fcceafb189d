import Testing

@testable import Postgres

@Suite("Pipeline state")
struct PipelineTests {
    private typealias StringPipeline = Pipeline<String>

    private func statement(_ name: String) -> PreparedStatement {
        PreparedStatement(statement: 0, name: name, types: [])
    }

    private func error(_ state: String) -> PostgresError {
        PostgresError(.sqlState(state), "test", sqlState: state)
    }

    private func describe(_ action: StringPipeline.Action?) -> String? {
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
        var pipeline = StringPipeline()
        _ = pipeline.append("a", statement("s"), isAutocommit: true)
        pipeline.appendSync()
        #expect(describe(pipeline.receive(.success)) == "await commit")
        #expect(describe(pipeline.receive(.end)) == nil)
        #expect(!pipeline.isAnswered(1))
        #expect(describe(pipeline.receive(.sync)) == "succeed at commit a")
        #expect(pipeline.isAnswered(1))
        #expect(pipeline.isEmpty)
    }

    @Test("an autocommit query fails if its commit fails")
    func failingCommit() {
        var pipeline = StringPipeline()
        _ = pipeline.append("a", statement("s"), isAutocommit: true)
        pipeline.appendSync()
        _ = pipeline.receive(.success)
        _ = pipeline.receive(.end)
        #expect(describe(pipeline.receive(.failure(error("23503")))) == "fail a sqlstate-23503")
        #expect(describe(pipeline.receive(.end)) == nil)
        #expect(describe(pipeline.receive(.sync)) == nil)
        #expect(pipeline.isEmpty)
    }

    @Test("a failed query aborts the later queries of its pipeline segment and no other queries")
    func segments() {
        var pipeline = StringPipeline()
        for name in ["a", "b", "c"] { _ = pipeline.append(name, statement("s"), isAutocommit: false) }
        pipeline.appendSync()
        _ = pipeline.append("d", statement("s"), isAutocommit: false)
        pipeline.appendSync()
        #expect(describe(pipeline.receive(.success)) == "succeed a")
        _ = pipeline.receive(.end)
        #expect(describe(pipeline.receive(.failure(error("23505")))) == "fail b sqlstate-23505")
        _ = pipeline.receive(.end)
        #expect(describe(pipeline.receive(.aborted)) == "fail c aborted")
        _ = pipeline.receive(.end)
        _ = pipeline.receive(.sync)
        #expect(describe(pipeline.receive(.success)) == "succeed d")
    }

    @Test(
        "queries of a statement that cannot be prepared fail with the preparation's error; the statement is forgotten")
    func failingPreparation() {
        var pipeline = StringPipeline()
        let prepared = statement("s1")
        pipeline.appendPrepare(prepared)
        _ = pipeline.append("a", prepared, isAutocommit: true)
        pipeline.appendSync()
        _ = pipeline.append("b", prepared, isAutocommit: true)
        pipeline.appendSync()
        #expect(describe(pipeline.receive(.failure(error("42P01")))) == "forget s1")
        _ = pipeline.receive(.end)
        #expect(describe(pipeline.receive(.aborted)) == "fail a sqlstate-42P01")
        _ = pipeline.receive(.end)
        _ = pipeline.receive(.sync)
        #expect(describe(pipeline.receive(.failure(error("26000")))) == "fail b sqlstate-42P01")
    }

    @Test("a query that fails with 0A000 reports that its statement must be prepared again")
    func stale() {
        var pipeline = StringPipeline()
        _ = pipeline.append("a", statement("s"), isAutocommit: false)
        #expect(describe(pipeline.receive(.failure(error("0A000")))) == "fail a sqlstate-0A000 stale")
    }

    @Test("draining a pipeline returns exactly the queries that the server has not answered")
    func drain() {
        var pipeline = StringPipeline()
        _ = pipeline.append("a", statement("s"), isAutocommit: true)
        pipeline.appendSync()
        _ = pipeline.append("b", statement("s"), isAutocommit: false)
        _ = pipeline.append("c", statement("s"), isAutocommit: false)
        _ = pipeline.receive(.success)
        var afterResponse = pipeline
        #expect(afterResponse.drain() == ["a", "b", "c"])
        _ = pipeline.receive(.end)
        var afterEnd = pipeline
        #expect(afterEnd.drain() == ["a", "b", "c"])
        _ = pipeline.receive(.sync)
        _ = pipeline.receive(.success)
        #expect(pipeline.drain() == ["c"])
        #expect(pipeline.isEmpty)
    }

    @Test("an unexpected response is reported as a protocol violation and does not trap")
    func violations() {
        var pipeline = StringPipeline()
        #expect(describe(pipeline.receive(.success)) == "violation")
        _ = pipeline.append("a", statement("s"), isAutocommit: false)
        #expect(describe(pipeline.receive(.sync)) == "violation")
        #expect(describe(pipeline.receive(.end)) == "violation")
        _ = pipeline.receive(.success)
        #expect(describe(pipeline.receive(.success)) == "violation")
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
