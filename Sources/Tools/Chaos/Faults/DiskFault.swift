import ChaosKit
import Contracts
import Glibc
import LocalStack
import Reactor

/// The file system of a table of the post service is full.
enum DiskFault {
    static let all = [full]

    /// A tmpfs of this size holds the table and a filler.
    private static let size = "64m"

    private static let full = Fault(
        name: "postgres-disk-full", summary: "PostgreSQL has no disk space left for new posts (needs root)",
        targets: [.postgres], affected: [.post], needsRoot: true
    ) { world, run in
        let folder = "\(world.stack.state)/chaos-disk"
        try await Program(path: "/bin/mkdir", arguments: ["-p", folder]).runSuccessfully()
        try await Program(
            path: "/bin/mount", arguments: ["-t", "tmpfs", "-o", "size=\(size),mode=0700", "tmpfs", folder]
        ).runSuccessfully()
        let result: Result<Void, any Error>
        do { result = .success(try await Self.fill(folder, world, run)) } catch { result = .failure(error) }
        try await Program(path: "/bin/umount", arguments: [folder]).runSuccessfully()
        try result.get()
    }

    /// Moves the table to the small file system, fills it, and moves the table back after some seconds.
    @Loop private static func fill(_ folder: String, _ world: World, _ run: FaultRun) async throws {
        try await Program(path: "/bin/chown", arguments: ["--reference=\(world.stack.state)/postgres", folder])
            .runSuccessfully()
        try await world.psql("CREATE TABLESPACE chaos LOCATION '\(folder)'")
        try await world.psql("ALTER TABLE posts SET TABLESPACE chaos", database: "post")
        run.begin()
        // dd ends with status 1, because the file system becomes full.
        _ = try await Program(path: "/bin/dd", arguments: ["if=/dev/zero", "of=\(folder)/filler", "bs=64k"]).run()
        try await world.sleep(seconds: 10...15)
        try await Program(path: "/bin/rm", arguments: ["\(folder)/filler"]).runSuccessfully()
        run.end()
        try await world.psql("ALTER TABLE posts SET TABLESPACE pg_default", database: "post")
        // A checkpoint removes the files that the tablespace still has.
        try await world.psql("CHECKPOINT", "DROP TABLESPACE chaos")
    }
}
