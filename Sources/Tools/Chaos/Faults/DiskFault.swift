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
        targets: [.postgres],
        allowance: Allowance(affected: [.post], evidence: .slowness(.seconds(1), of: "POST /v1/posts")),
        needsRoot: true
    ) { testbed, run in
        let folder = "\(testbed.stack.state)/chaos-disk"
        try await Program(path: "/bin/mkdir", arguments: ["-p", folder]).runSuccessfully()
        try await Program(
            path: "/bin/mount", arguments: ["-t", "tmpfs", "-o", "size=\(size),mode=0700", "tmpfs", folder]
        ).runSuccessfully()
        try await undoing({ _ = try await Program(path: "/bin/umount", arguments: ["-l", folder]).runSuccessfully() }) {
            try await Self.fill(folder, testbed, run)
        }
    }

    /// Moves the table to the small file system, fills it, and moves the table back after some seconds.
    @Loop private static func fill(_ folder: String, _ testbed: Testbed, _ run: FaultRun) async throws {
        try await Program(path: "/bin/chown", arguments: ["--reference=\(testbed.stack.state)/postgres", folder])
            .runSuccessfully()
        try await testbed.psql("CREATE TABLESPACE chaos LOCATION '\(folder)'")
        // A checkpoint removes the files that the tablespace still has.
        try await undoing({ try await testbed.psql("CHECKPOINT", "DROP TABLESPACE chaos") }) {
            // Both statements lock the table, so posts wait.
            run.begin()
            // Without VACUUM FULL, the table has free space inside for many posts.
            try await testbed.psql(
                "ALTER TABLE posts SET TABLESPACE chaos", "VACUUM FULL posts", database: "post")
            let back = "ALTER TABLE posts SET TABLESPACE pg_default"
            try await undoing({ try await testbed.psql(back, database: "post") }) {
                try await run.perform(
                    // dd ends with status 1, because the file system becomes full.
                    cause: {
                        let filler = ["if=/dev/zero", "of=\(folder)/filler", "bs=64k"]
                        _ = try await Program(path: "/bin/dd", arguments: filler).run()
                    },
                    undo: { try await Program(path: "/bin/rm", arguments: ["\(folder)/filler"]).runSuccessfully() },
                    { try await testbed.sleep(seconds: 10...15) })
            }
        }
    }
}
