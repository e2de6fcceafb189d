import Contracts
import FoundationEssentials
import Logging
import Postgres
import Reactor
import Redis
import Synchronization
import TestSupport
import Testing

@testable import IdentityService
@testable import WorkerKit

/// The identity service's handlers on a schema of their own in the real database, called as the kit calls them, with a
/// clock that tests set.
@Loop final class IdentityBench {
    /// A clock that stands still until it is moved.
    final class Clock: Sendable {
        private let time = Mutex(Timestamp.now())

        var now: Timestamp { time.withLock { $0 } }

        func advance(by duration: Duration) {
            time.withLock { $0 = $0.advanced(by: duration) }
        }
    }

    /// What a test may put in the place of the usual.
    struct Parts {
        var passwords = Passwords()
        /// No login is held up unless a test wants it.
        var failedLogins: FailedLogins
    }

    let database: PostgresPool
    let clock: Clock
    let key: SigningKey
    private let handlers: [String: Handler]

    private init(_ database: PostgresPool, _ change: (inout Parts) -> Void) async throws {
        let clock = Clock()
        let key = SigningKey()
        let tokens = try await AccessTokens(key: key, issuer: "warren", audience: "warren")
        var parts = Parts(
            failedLogins: FailedLogins(
                limit: nil, delay: .zero, places: 0,
                redis: RedisClient(address: try RedisAddress(url: "redis://127.0.0.1:1"), name: "", log: Self.log)))
        change(&parts)
        let identity = IdentityHandlers(
            database: database, tokens: tokens, passwords: parts.passwords, failedLogins: parts.failedLogins,
            now: { clock.now })
        handlers = Dictionary(uniqueKeysWithValues: IdentityService.handlers(identity).map { ($0.type, $0) })
        self.database = database
        self.clock = clock
        self.key = key
    }

    static let log: Logger = {
        var log = Logger(label: "test")
        log.logLevel = .critical
        return log
    }()

    /// How many more tests may hold connections at once; the tests that wait for their turn.
    private static var free = 4
    private static var waiting: [CheckedContinuation<Void, Never>] = []

    private static func takeTurn() async {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    }

    private static func giveTurn() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }

    /// Runs a test with the handlers, in a schema of their own.
    static func with(
        _ change: (inout Parts) -> Void = { _ in }, _ body: @Loop (IdentityBench) async throws -> Void
    ) async throws {
        try await withSchema { url in
            try await Migrator(url: url, log: log).migrate(KitMigrations.all + IdentityService.definition.migrations)
            try await withPool(url, size: 8) { try await body(try await IdentityBench($0, change)) }
        }
    }

    /// Runs a test with the address of an empty schema, which is dropped afterwards.
    static func withSchema(_ body: @Loop (String) async throws -> Void) async throws {
        await takeTurn()
        defer { giveTurn() }
        let base = try TestEnvironment.value("WARREN_TEST_DATABASE_URL")
        let schema = "identity_" + UUID().text.replacing("-", with: "")
        let url = base + (base.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(schema)"
        try await withPool(base) { _ = try await $0.query(Statement("CREATE SCHEMA \(schema)")) }
        let outcome = await result { try await body(url) }
        try await withPool(base) { _ = try await $0.query(Statement("DROP SCHEMA \(schema) CASCADE")) }
        try outcome.get()
    }

    private static func withPool(_ url: String, size: Int = 1, _ body: @Loop (PostgresPool) async throws -> Void)
        async throws
    {
        let pool = PostgresPool(url: url, size: size, log: log)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            let outcome = await result { try await body(pool) }
            await pool.close(within: .seconds(5))
            try await group.waitForAll()
            try outcome.get()
        }
    }

    private static func result(_ body: @Loop () async throws -> Void) async -> Result<Void, any Error> {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }

    /// Calls a handler and commits, as the kit's dispatcher does with a delivery.
    func call<Body: Described, Answer>(
        _ type: MessageType<Body, Answer>, _ body: Body, as account: Account? = nil, id: UUID = .v7()
    ) async throws -> Reply {
        let caller = account.map { Caller(id: $0.id, username: $0.username) }
        let message = IncomingMessage(type: type.name, id: id, caller: caller, body: body.jsonBytes())
        let handler = try #require(handlers[type.name])
        // Credentials have no inbox: their replies have tokens.
        try #require(handler.kind == .request(.credential))
        let work = UnitOfWork(pool: database, message: message, usesInbox: false)
        do {
            let reply = try await handler.handle(HandlerContext(message: message, log: Self.log, work: work))
            try await work.commit(reply)
            return try #require(reply)
        } catch let problem as Problem {
            work.rollback()
            return .problem(problem, traceID: nil)
        } catch {
            work.rollback()
            throw error
        }
    }
}
