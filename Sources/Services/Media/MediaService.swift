internal import Contracts
internal import Curl
internal import Postgres
internal import Reactor
package import WorkerKit

/// The media service: images at Cloudinary, with their metadata in its own database.
package enum MediaService {
    /// The service's name, migrations and queues.
    ///
    /// The prefetch of uploads is low because each delivery holds its file in memory.
    package static let definition = WorkerDefinition(
        name: "media",
        migrations: [
            Migration(name: "0001-media", sql: PackageResources._001_media_sql),
            Migration(name: "0002-uploads", sql: PackageResources._002_uploads_sql),
            Migration(name: "0003-attempts", sql: PackageResources._003_attempts_sql),
            Migration(name: "0004-description", sql: PackageResources._004_description_sql),
        ],
        queues: [
            ConsumedQueue(Queue.mediaCommands, prefetch: 32), ConsumedQueue(Queue.mediaUploads, prefetch: 8),
            ConsumedQueue(Queue.mediaQueries, prefetch: 64), ConsumedQueue(Queue.mediaEvents, prefetch: 16),
        ])

    /// The default of `WARREN_MEDIA_PIXELS`: the maximum number of pixels of an image, in all its frames together.
    static let defaultMaximumPixels = 50_000_000

    /// Makes the handlers and the sweeper of abandoned uploads.
    ///
    /// - Throws: `SettingsError` if a setting is missing or malformed; `CurlError` if libcurl cannot be
    ///   initialized.
    @Loop package static func components(_ dependencies: WorkerDependencies) throws -> WorkerComponents {
        let settings = dependencies.settings
        let account = try settings.parsed("CLOUDINARY_URL") { try CloudinaryAccount(url: $0) }
        let validator = ImageValidator(
            maximumPixels: try settings.integer(
                "WARREN_MEDIA_PIXELS", default: defaultMaximumPixels, in: 1...1_000_000_000),
            keepsMetadata: try settings.integer("WARREN_MEDIA_KEEP_METADATA", default: 0, in: 0...1) == 1)
        let http = try CurlClient()
        let cloudinary = CloudinaryClient(account: account, http: http)
        let commands = MediaCommands(
            database: dependencies.database, cloudinary: cloudinary, validator: validator, log: dependencies.log)
        let sweeper = UploadSweeper(database: dependencies.database, cloudinary: cloudinary, log: dependencies.log)
        return WorkerComponents(
            handlers: handlers(
                commands, MediaQueries(database: dependencies.database), retention: dependencies.retention),
            services: [
                ShutdownHook { await http.close() },
                ServiceAdapter(run: { await sweeper.run() }, close: { await sweeper.close() }),
            ])
    }

    @Loop static func handlers(
        _ commands: MediaCommands, _ queries: MediaQueries, retention: Duration
    ) -> [Handler] {
        [
            .request(
                Messages.Media.upload, afterCommit: commands.removeLeftovers(ofUpload:), handle: commands.upload),
            .request(
                Messages.Media.delete, afterCommit: commands.removeLeftovers(ofDeletion:), handle: commands.delete),
            .request(Messages.Media.update, handle: commands.update),
            .request(Messages.Media.get, handle: queries.get),
            .request(Messages.Media.list, handle: queries.list),
            .receipt(Messages.Media.receipt, database: queries.database, retention: retention),
            .event(
                PostDeleted.self, afterCommit: commands.removeLeftovers(ofDeletedPost:), handle: commands.postDeleted),
        ]
    }
}
