internal import Contracts
internal import Postgres
internal import Reactor
package import WorkerKit

/// The identity service: accounts, passwords and tokens, in a database of their own.
package enum IdentityService {
    /// What the service is, before anything is connected.
    package static let definition = WorkerDefinition(
        name: "identity",
        migrations: [Migration(name: "0001-accounts", sql: PackageResources._001_accounts_sql)],
        queues: [ConsumedQueue(Queue.identityCommands, prefetch: prefetch)])

    /// Half of it for logins that are held up, half for what goes on.
    private static let prefetch: UInt16 = 64

    /// Makes its handlers, and what cleans up behind them.
    ///
    /// - Throws: `Settings.Fault` where the signing key or another value is missing or malformed.
    @Loop package static func parts(_ resources: WorkerResources) async throws -> WorkerParts {
        let settings = resources.settings
        let tokens = try await AccessTokens(
            key: try settings.parsed("WARREN_SIGNING_KEY") { try SigningKey(pem: $0) },
            issuer: try settings.text("WARREN_TOKEN_ISSUER") ?? "warren",
            audience: try settings.text("WARREN_TOKEN_AUDIENCE") ?? "warren")
        let failedLogins = try FailedLogins(settings, prefetch: prefetch, redis: resources.redis)
        let identity = IdentityHandlers(
            database: resources.database, tokens: tokens, passwords: Passwords(), failedLogins: failedLogins,
            now: { .now() })
        let sweeper = TokenSweeper(database: resources.database, log: resources.log)
        return WorkerParts(
            handlers: handlers(identity),
            services: [Managed(start: { await sweeper.run() }, stop: { await sweeper.close() })])
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
