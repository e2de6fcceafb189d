import Reactor

extension Testbed {
    private static let leftovers =
        "SELECT count(*) FROM upload WHERE NOT EXISTS (SELECT FROM media WHERE media.id = upload.id)"

    /// Lets the media service remove the pictures that Cloudinary stored after their deletion. A worker does so at its
    /// start, an hour after the upload. Therefore the uploads are made older, and the workers are restarted.
    ///
    /// - Parameter time: when Cloudinary has stored the last ones.
    func sweepLatePictures(after time: ContinuousClock.Instant) async throws {
        if .now < time { try await Loop.sleep(for: time - .now) }
        try await psql("UPDATE upload SET begun_at = begun_at - interval '61 minutes'", database: "media")
        try await scale("media", 0)
        try await scale("media", Self.workers)
        let deadline = ContinuousClock.now + .seconds(10)
        while try await psql(Self.leftovers, database: "media") != "0\n", .now < deadline {
            try await Loop.sleep(for: .milliseconds(200))
        }
    }
}
