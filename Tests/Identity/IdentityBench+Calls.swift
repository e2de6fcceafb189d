import Contracts
import FoundationEssentials
import Postgres
import Reactor
import Redis
import TestSupport
import Testing
import WorkerKit

extension IdentityBench {
    /// The password of whoever `register()` makes.
    static let password = "correct horse battery staple"

    /// Makes an account with a name of its own, unless one is given.
    func register(_ username: String? = nil) async throws -> Session {
        let username = username ?? "u-" + String(UUID().text.prefix(13))
        let reply = try await call(
            Messages.Identity.register,
            Register(username: username, email: "\(username)@example.org", password: Self.password))
        return try session(reply, status: 201)
    }

    func login(_ account: Account, password: String = IdentityBench.password) async throws -> Reply {
        try await call(Messages.Identity.login, Login(email: account.email, password: password))
    }

    func refresh(_ token: String) async throws -> Reply {
        try await call(Messages.Identity.refresh, RefreshToken(refreshToken: token))
    }

    func logout(_ token: String) async throws -> Reply {
        try await call(Messages.Identity.logout, RefreshToken(refreshToken: token))
    }

    /// Connects to the real Redis, unless another address is given.
    static func withRedis(_ url: String? = nil, _ body: @Loop (RedisClient) async throws -> Void) async throws {
        let url = try url ?? TestEnvironment.value("WARREN_TEST_REDIS_URL")
        let redis = RedisClient(address: try RedisAddress(url: url), name: "tests", log: log)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await redis.run() }
            do {
                try #require(try await eventually { redis.isConnected })
                try await body(redis)
            } catch {
                await redis.close()
                throw error
            }
            await redis.close()
        }
    }

    /// Does something several times at once.
    static func all<Value: Sendable>(
        _ count: Int, _ body: @escaping @Loop @Sendable (Int) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: Value.self) { group in
            for number in 0..<count {
                group.addTask { try await body(number) }
            }
            var values: [Value] = []
            for try await value in group { values.append(value) }
            return values
        }
    }

    /// Reads the session that a reply is.
    func session(_ reply: Reply, status: Int = 200) throws -> Session {
        try #require(reply.status == status, "\(String(decoding: reply.body, as: UTF8.self))")
        return try Session.schema.decode(try JSON.parse(reply.body))
    }

    /// The number that a query of the database gives.
    func count(_ sql: String) async throws -> Int {
        try #require(try await database.query(Statement(sql)).first).get(0)
    }
}

extension Reply {
    /// The code of the problem that it tells.
    var code: String? { (try? JSON.parse(body))?["code"]?.string }
}
