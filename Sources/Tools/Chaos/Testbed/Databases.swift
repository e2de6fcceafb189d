import ChaosKit
import Contracts
import Logging
import Postgres
import Reactor

/// Connections to the databases of the services, with the rights of the superuser.
@Loop final class Databases {
    private static let post = Statement("SELECT FROM posts WHERE id = $1::text::uuid")
    private static let posts = Statement("SELECT count(*)::bigint FROM posts")

    private let pools: [String: PostgresPool]

    init(_ addresses: Addresses) {
        var pools: [String: PostgresPool] = [:]
        for service in ServiceName.allCases {
            let server = "postgres:\(addresses.postgresPassword)@127.0.0.1:\(addresses.postgres)"
            let url = "postgresql://\(server)/\(service.rawValue)"
            pools[service.rawValue] = PostgresPool(url: url, size: 2, log: .discarding)
        }
        self.pools = pools
    }

    /// Connects, and reconnects after each fault, until ``close()`` is called.
    func run() async {
        await withTaskGroup { group in
            for pool in pools.values { group.addTask { await pool.run() } }
        }
    }

    func close() async {
        for pool in pools.values { await pool.close(within: .seconds(1)) }
    }

    /// Returns the number in the only row of each database's result, by service.
    func numbers(_ statement: Statement, of services: [ServiceName]) async throws -> [ServiceName: Int] {
        var numbers: [ServiceName: Int] = [:]
        for service in services {
            numbers[service] = try await rows(statement, of: service).first?.get(0, as: Int.self)
        }
        return numbers
    }

    /// Returns the rows of a query with at most one parameter.
    func rows(_ statement: Statement, of service: ServiceName) async throws -> Rows {
        try await pool(service).query(statement)
    }

    func rows(_ statement: Statement, _ parameter: String, of service: ServiceName) async throws -> Rows {
        try await pool(service).query(statement, parameter)
    }

    private func pool(_ service: ServiceName) throws -> PostgresPool {
        guard let pool = pools[service.rawValue] else { throw ChaosError("there is no database \(service.rawValue)") }
        return pool
    }

    /// Returns the number of posts.
    func postCount() async throws -> Int { try await numbers(Self.posts, of: [.post])[.post] ?? 0 }

    /// Returns whether the database has a post; `nil` if it does not answer.
    func hasPost(_ id: String) async -> Bool? {
        guard let rows = try? await rows(Self.post, id, of: .post) else { return nil }
        return !rows.isEmpty
    }
}
