internal import Foundation
package import Glibc

/// A running program, as a child of this process.
package struct ChildProcess: Sendable {
    package let pid: pid_t
    let folder: URL

    /// Standard output so far.
    package var output: String { text("output") }
    /// Standard error so far.
    package var errors: String { text("errors") }

    /// Sends a signal. Do not call this after ``waitForExit(within:)``, because the pid may then belong to another
    /// process.
    package func send(_ signal: Int32) {
        kill(pid, signal)
    }

    /// Waits until the process exits. Call this once.
    ///
    /// - Parameter limit: the time after which the process is killed.
    /// - Returns: the exit status; 128 plus the signal's number if a signal ended the process, as in a shell.
    package func waitForExit(within limit: Duration = .seconds(90)) async throws -> Int32 {
        let end = ContinuousClock.now + limit
        var isKilled = false
        while true {
            var status: Int32 = 0
            let ended = waitpid(pid, &status, WNOHANG)
            // The lower seven bits have the signal, the next byte the status (wait(2)).
            if ended == pid { return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f }
            guard ended == 0 else { throw Program.Failure(description: "waitpid: \(String(cString: strerror(errno)))") }
            if !isKilled, ContinuousClock.now > end {
                isKilled = true
                send(SIGKILL)
            }
            // A task of its own, because in a cancelled task the sleep would return at once.
            await Task { try? await Task.sleep(for: .milliseconds(10)) }.value
        }
    }

    /// Deletes the files that contain the output.
    package func removeFiles() {
        try? FileManager.default.removeItem(at: folder)
    }

    private func text(_ name: String) -> String {
        let file = folder.appending(path: name)
        // Foundation (Swift 6.3) never frees the buffer into which it has read an empty file.
        guard let size = try? file.resourceValues(forKeys: [.fileSizeKey]).fileSize, size > 0 else { return "" }
        return (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    }
}
