import Contracts
import Curl
import DatabaseSupport
import Foundation
import Logging
import Postgres
import Reactor
import TestSupport
import Testing

@testable import MediaService
@testable import WorkerKit

/// A worker of the media service on a schema and a media host of its own, called as the kit calls it.
@Loop final class MediaBench {
    struct Plan {
        var maximumPixels = MediaService.standardPixels
        var uploadPatience: Duration = .seconds(5)
        var deletePatience: Duration = .seconds(4)
        /// What the worker takes for the media host's secret.
        var secret = LocalCloudinary.secret
    }

    /// Straight to the database, to look.
    let database: PostgresPool
    /// Between the worker and the database.
    let between: FaultProxy
    let host: LocalCloudinary
    let sweeper: UploadSweeper
    let pool: PostgresPool
    private let http: CurlClient
    private let handlers: [String: Handler]

    nonisolated static let log: Logger = {
        var log = Logger(label: "test")
        log.logLevel = .critical
        return log
    }()

    private init(
        _ plan: Plan, database: PostgresPool, pool: PostgresPool, between: FaultProxy, host: LocalCloudinary
    ) throws {
        (self.database, self.pool, self.between, self.host) = (database, pool, between, host)
        http = try CurlClient()
        let account = try CloudinaryAccount(
            url: "cloudinary://\(LocalCloudinary.key):\(plan.secret)@demo?upload_prefix=\(host.url(""))")
        let cloudinary = CloudinaryClient(account: account, http: http)
        sweeper = UploadSweeper(database: pool, cloudinary: cloudinary, log: Self.log)
        let commands = MediaCommands(
            database: pool, cloudinary: cloudinary, check: PictureCheck(maximumPixels: plan.maximumPixels),
            uploadPatience: plan.uploadPatience, deletePatience: plan.deletePatience)
        handlers = Dictionary(
            uniqueKeysWithValues: MediaService.handlers(commands, MediaQueries(database: pool)).map { ($0.type, $0) })
    }

    private static let turns = Turns(3)

    /// Runs a test.
    static func with(_ plan: Plan = Plan(), _ body: @Loop (MediaBench) async throws -> Void) async throws {
        try await turns.take {
            try await TestDatabase.withSchema { url in
                try await Migrator(url: url, log: log).migrate(KitMigrations.all + MediaService.definition.migrations)
                try await TestDatabase.withPool(url, size: 1) { try await run(plan, url, $0, body) }
            }
        }
    }

    private static func run(
        _ plan: Plan, _ url: String, _ database: PostgresPool, _ body: @Loop (MediaBench) async throws -> Void
    ) async throws {
        let between = try FaultProxy(to: TestDatabase.port(of: url))
        defer { between.stop() }
        try await TestDatabase.withPool(TestDatabase.through(between.port, url), size: 3) { pool in
            try await LocalCloudinary.run { host in
                let bench = try MediaBench(plan, database: database, pool: pool, between: between, host: host)
                let ended = await outcome { try await body(bench) }
                bench.http.close()
                try ended.get()
            }
        }
    }

    /// Hands a message to the worker.
    ///
    /// - Throws: what makes the dispatcher retry the message.
    func deliver(_ message: IncomingMessage) async throws -> Reply? {
        let handler = try #require(handlers[message.type])
        return try await handler.reply(to: message, in: pool, log: Self.log)
    }

    // MARK: The media host

    /// Orders faults of the host.
    func order(_ faults: JSON) async throws {
        let request = HTTPRequest(method: "PUT", url: host.url("/faults"), body: .bytes(faults.serialized()))
        try #require(try await http.perform(request).status == 200)
    }

    /// Ends the faults of the host.
    func orderNothing() async throws {
        _ = try await http.perform(HTTPRequest(method: "DELETE", url: host.url("/faults")))
    }

    /// The ids of all that the host keeps.
    func assets() async throws -> [String] {
        let response = try await http.perform(HTTPRequest(url: host.url("/assets")))
        return try JSON.parse(response.body)["public_ids"]?.array?.compactMap(\.string) ?? []
    }

    /// What is delivered at a picture's address.
    func delivery(_ url: String) async throws -> HTTPResponse {
        try await http.perform(HTTPRequest(url: url, maximumResponseSize: 8 << 20))
    }
}
