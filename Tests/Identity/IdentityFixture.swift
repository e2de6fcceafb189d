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

/// The identity service's handlers for one test, with a database schema of their own and a clock that the test
/// advances.
@Loop final class IdentityFixture {
    /// A clock that stands still between calls of `advance`.
    final class Clock: Sendable {
        private let time = Mutex(Timestamp.now())

        var now: Timestamp { time.withLock { $0 } }

        func advance(by duration: Duration) {
            time.withLock { $0 = $0.advanced(by: duration) }
        }
    }

    /// The dependencies that a test can replace.
    struct Dependencies {
        var passwords = PasswordHasher()
        /// By default it delays no login.
        var throttle: LoginThrottle
    }

    /// The password of the accounts that ``register(_:)`` creates.
    static let password = "correct horse battery staple"

    let database: PostgresPool
    let clock: Clock
    private let handlers: ServiceHandlers

    private init(_ database: PostgresPool, _ change: (inout Dependencies) -> Void) async throws {
        let clock = Clock()
        let key = SigningKey()
        let signer = try await AccessTokenSigner(key: key, issuer: "warren", audience: "warren")
        var dependencies = Dependencies(
            throttle: LoginThrottle(
                limit: nil, delay: .zero, capacity: 0,
                redis: RedisClient(address: try RedisAddress(url: "redis://127.0.0.1:1"), name: "", log: .quiet)))
        change(&dependencies)
        let identity = IdentityHandlers(
            database: database, signer: signer, passwords: dependencies.passwords, throttle: dependencies.throttle,
            now: { clock.now })
        handlers = ServiceHandlers(IdentityService.handlers(identity), database: database)
        self.database = database
        self.clock = clock
    }

    private static let concurrency = ConcurrencyLimit(4)

    /// Runs a test with the handlers.
    ///
    /// - Parameter change: replaces dependencies of the handlers.
    static func with(
        _ change: (inout Dependencies) -> Void = { _ in }, _ body: @Loop (IdentityFixture) async throws -> Void
    ) async throws {
        try await concurrency.run {
            try await TestDatabase.withSchema(of: IdentityService.definition, connections: 8) { _, pool in
                try await body(try await IdentityFixture(pool, change))
            }
        }
    }

    /// Runs a test with the URL of an empty schema, which is dropped afterwards.
    static func withSchema(_ body: @Loop (String) async throws -> Void) async throws {
        try await concurrency.run { try await TestDatabase.withSchema(body) }
    }

    /// Calls a handler.
    func call<Body: SchemaCodable, Answer>(
        _ type: MessageType<Body, Answer>, _ body: Body, as account: Account? = nil, id: UUID = .v7()
    ) async throws -> Reply {
        let caller = account.map { Caller(id: $0.id, username: $0.username) }
        let message = IncomingMessage(type: type.name, id: id, caller: caller, body: body.jsonBytes())
        // All messages of this service are credentials. They have no inbox row, because their replies contain tokens.
        try #require(handlers[type.name]?.kind == .request(.credential))
        return try #require(try await handlers.deliver(message))
    }
}
