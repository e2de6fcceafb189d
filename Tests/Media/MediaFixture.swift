import Contracts
import Curl
import DatabaseSupport
import FaultProxy
import Foundation
import Logging
import Postgres
import Reactor
import TestSupport
import Testing

@testable import MediaService
@testable import WorkerKit

/// The handlers of the media service for one test, with a database schema and a media host of their own.
@Loop final class MediaFixture {
    struct Options {
        var maximumPixels = MediaService.defaultMaximumPixels
        var keepsMetadata = false
        var uploadTimeLimit: Duration = .seconds(5)
        var deleteTimeLimit: Duration = .seconds(4)
        /// The API secret with which the worker signs its calls.
        var secret = LocalCloudinary.secret
    }

    /// A direct connection to the database, for assertions.
    let database: PostgresPool
    /// The proxy between the worker and the database.
    let databaseProxy: FaultProxy
    let host: LocalCloudinary
    let sweeper: UploadSweeper
    /// The worker's connections to the database.
    let pool: PostgresPool
    let http: CurlClient
    let account: CloudinaryAccount
    private let handlers: ServiceHandlers

    private init(
        _ options: Options, database: PostgresPool, pool: PostgresPool, databaseProxy: FaultProxy,
        host: LocalCloudinary
    ) throws {
        (self.database, self.pool, self.databaseProxy, self.host) = (database, pool, databaseProxy, host)
        http = try CurlClient()
        account = try CloudinaryAccount(
            url: "cloudinary://\(LocalCloudinary.key):\(options.secret)@demo?upload_prefix=\(host.url(""))")
        let cloudinary = CloudinaryClient(account: account, http: http)
        sweeper = UploadSweeper(database: pool, cloudinary: cloudinary, log: .quiet)
        let commands = MediaCommands(
            database: pool, cloudinary: cloudinary,
            validator: ImageValidator(maximumPixels: options.maximumPixels, keepsMetadata: options.keepsMetadata),
            log: .quiet, uploadTimeLimit: options.uploadTimeLimit, deleteTimeLimit: options.deleteTimeLimit)
        handlers = ServiceHandlers(
            MediaService.handlers(commands, MediaQueries(database: pool), retention: .seconds(3600)), database: pool)
    }

    private static let concurrency = ConcurrencyLimit(3)

    /// Runs a test with the handlers.
    static func with(_ options: Options = Options(), _ body: @Loop (MediaFixture) async throws -> Void) async throws {
        try await concurrency.run {
            try await TestDatabase.withSchema(of: MediaService.definition, connections: 1) { url, pool in
                try await run(options, url, pool, body)
            }
        }
    }

    private static func run(
        _ options: Options, _ url: String, _ database: PostgresPool, _ body: @Loop (MediaFixture) async throws -> Void
    ) async throws {
        let proxy = try FaultProxy(to: TestDatabase.port(of: url))
        defer { proxy.stop() }
        try await TestDatabase.withPool(TestDatabase.through(proxy.port, url), size: 3) { pool in
            try await LocalCloudinary.run { host in
                let fixture = try MediaFixture(
                    options, database: database, pool: pool, databaseProxy: proxy, host: host)
                let ended = await outcome { try await body(fixture) }
                fixture.http.close()
                try ended.get()
            }
        }
    }

    /// Calls the handler of a message.
    ///
    /// - Throws: the error for which a worker retries the message or makes it a dead letter.
    func deliver(_ message: IncomingMessage) async throws -> Reply? {
        try await handlers.deliver(message)
    }

    // MARK: The media host

    /// Makes the host fail as described in `Sources/Tools/CloudinaryLocal/README.md`.
    func injectFaults(_ faults: JSON) async throws {
        let request = HTTPRequest(method: "PUT", url: host.url("/faults"), body: .bytes(faults.serialized()))
        try #require(try await http.perform(request).status == 200)
    }

    /// Makes the host work normally again.
    func endFaults() async throws {
        _ = try await http.perform(HTTPRequest(method: "DELETE", url: host.url("/faults")))
    }

    /// Returns the ids of all images at the host.
    func assets() async throws -> [String] {
        let response = try await http.perform(HTTPRequest(url: host.url("/assets")))
        return try JSON.parse(response.body)["public_ids"]?.array?.compactMap(\.string) ?? []
    }

    /// Requests the URL of an image and returns the host's response, for any status.
    func download(_ url: String) async throws -> HTTPResponse {
        try await http.perform(HTTPRequest(url: url, maximumResponseSize: 8 << 20))
    }
}
