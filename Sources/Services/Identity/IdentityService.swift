internal import Contracts
internal import Postgres
internal import Reactor
package import WorkerKit

/// The identity service: accounts, passwords and tokens, in its own database.
package enum IdentityService {
    /// The service's name, migrations and queues.
    package static let definition = WorkerDefinition(
        name: "identity",
        migrations: [Migration(name: "0001-accounts", sql: PackageResources._001_accounts_sql)],
        queues: [ConsumedQueue(Queue.identityCommands, prefetch: prefetch)])

    /// The maximum number of messages that a worker holds. At most half of them are delayed logins.
    private static let prefetch: UInt16 = 64

    /// Makes the handlers and the sweeper of expired tokens.
    ///
    /// - Throws: `SettingsError` if a setting is missing or malformed; `JWTError` if JWTKit does not accept
    ///   the key.
    @Loop package static func components(_ dependencies: WorkerDependencies) async throws -> WorkerComponents {
        let settings = dependencies.settings
        let signer = try await AccessTokenSigner(
            key: try settings.parsed("WARREN_SIGNING_KEY") { try SigningKey(pem: $0) },
            issuer: try settings.text("WARREN_TOKEN_ISSUER") ?? "warren",
            audience: try settings.text("WARREN_TOKEN_AUDIENCE") ?? "warren")
        let throttle = try LoginThrottle(settings, prefetch: prefetch, redis: dependencies.redis)
        let identity = IdentityHandlers(
            database: dependencies.database, signer: signer, passwords: PasswordHasher(), throttle: throttle,
            now: { .now() })
        let sweeper = TokenSweeper(database: dependencies.database, log: dependencies.log)
        return WorkerComponents(
            handlers: handlers(identity),
            services: [ServiceAdapter(run: { await sweeper.run() }, close: { await sweeper.close() })])
    }

    @Loop static func handlers(_ identity: IdentityHandlers) -> [Handler] {
        [
            .request(Messages.Identity.register, handle: identity.register),
            .request(Messages.Identity.login, handle: identity.login),
            .request(Messages.Identity.refresh, handle: identity.refresh),
            .request(Messages.Identity.logout, handle: identity.logout),
            .request(Messages.Identity.logoutAll, handle: identity.logoutAll),
            .request(Messages.Identity.changePassword, handle: identity.changePassword),
            .request(Messages.Identity.me, handle: identity.me),
        ]
    }
}
