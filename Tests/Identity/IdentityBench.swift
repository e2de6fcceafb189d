import Contracts
import DatabaseSupport
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

    private static let turns = Turns(4)

    /// Runs a test with the handlers, in a schema of their own.
    static func with(
        _ change: (inout Parts) -> Void = { _ in }, _ body: @Loop (IdentityBench) async throws -> Void
    ) async throws {
        try await withSchema { url in
            try await Migrator(url: url, log: log).migrate(KitMigrations.all + IdentityService.definition.migrations)
            try await TestDatabase.withPool(url, size: 8) { try await body(try await IdentityBench($0, change)) }
        }
    }

    /// Runs a test with the address of an empty schema, which is dropped afterwards.
    static func withSchema(_ body: @Loop (String) async throws -> Void) async throws {
        try await turns.take { try await TestDatabase.withSchema(body) }
    }

    /// Calls a handler.
    func call<Body: SchemaCodable, Answer>(
        _ type: MessageType<Body, Answer>, _ body: Body, as account: Account? = nil, id: UUID = .v7()
    ) async throws -> Reply {
        let caller = account.map { Caller(id: $0.id, username: $0.username) }
        let message = IncomingMessage(type: type.name, id: id, caller: caller, body: body.jsonBytes())
        let handler = try #require(handlers[type.name])
        // Credentials have no inbox: their replies have tokens.
        try #require(handler.kind == .request(.credential))
        return try #require(try await handler.reply(to: message, in: database, log: Self.log))
    }
}
