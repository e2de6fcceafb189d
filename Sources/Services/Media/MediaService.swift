internal import Contracts
internal import Curl
internal import Postgres
internal import Reactor
package import WorkerKit

/// The media service: pictures, kept at Cloudinary, and what is known of them in a database of their own.
package enum MediaService {
    /// What the service is, before anything is connected.
    ///
    /// Few uploads are in hand at once: each holds its file in memory.
    package static let definition = WorkerDefinition(
        name: "media",
        migrations: [Migration(name: "0001-media", sql: PackageResources._001_media_sql)],
        queues: [
            QueueUse(Queue.mediaCommands, prefetch: 32), QueueUse(Queue.mediaUploads, prefetch: 8),
            QueueUse(Queue.mediaQueries, prefetch: 64), QueueUse(Queue.mediaEvents, prefetch: 16),
        ])

    /// Makes its handlers.
    ///
    /// - Throws: `Settings.Fault` where `CLOUDINARY_URL` is missing or malformed; `CurlError` where libcurl cannot start.
    @Loop package static func parts(_ resources: WorkerResources) throws -> WorkerParts {
        let account = try resources.settings.parsed("CLOUDINARY_URL") { try CloudinaryAccount(url: $0) }
        let http = try CurlClient()
        let commands = MediaCommands(
            database: resources.database, cloudinary: CloudinaryClient(account: account, http: http))
        let queries = MediaQueries(database: resources.database)
        return WorkerParts(
            handlers: [
                .request(Messages.Media.upload, handle: commands.upload),
                .request(Messages.Media.delete, handle: commands.delete),
                .request(Messages.Media.get, handle: queries.get),
                .request(Messages.Media.list, handle: queries.list),
                .receipt(Messages.Media.receipt, database: resources.database),
                .event(PostDeleted.self, handle: commands.postDeleted),
            ],
            services: [AtShutdown { await http.close() }])
    }
}
