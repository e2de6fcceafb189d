package import Glibc

/// A file that is replaced as a whole: readers see the old or the new content, and a crash leaves one of them on disk.
///
/// New content is first written to a temporary file, the draft. The draft gets the permissions `mode` before any
/// content is written. If `mode` excludes other users, they can never read the content.
package struct AtomicFile: Sendable {
    /// A system call that failed.
    package struct Failure: Error, CustomStringConvertible {
        package let path: String
        /// The `errno` of the call.
        package let code: Int32

        package init(path: String, code: Int32) {
            self.path = path
            self.code = code
        }

        package var description: String { "\(path): \(String(cString: strerror(code)))" }
    }

    /// The content of a file.
    package struct Content: Sendable {
        package let bytes: [UInt8]
        /// The time of the last change, in seconds since 1970.
        package let modified: Int
    }

    package let path: String
    private let mode: mode_t
    private let draft: String

    /// Makes a value for the file at a path. The file need not exist.
    ///
    /// - Parameters:
    ///   - mode: the permissions of the file, regardless of the umask.
    ///   - draft: the path of the draft, on the same file system. The draft replaces the file at `path` when it is
    ///     complete. The default is `path` followed by the pid, which allows one writer per process at a time.
    package init(_ path: String, mode: mode_t, draft: String? = nil) {
        self.path = path
        self.mode = mode
        self.draft = draft ?? "\(path).\(getpid())"
    }

    package var exists: Bool { access(path, F_OK) == 0 }

    /// Reads the whole file.
    package func read() throws(Failure) -> Content {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        try check(descriptor >= 0)
        defer { close(descriptor) }
        let (size, modified) = try status(of: descriptor)
        var bytes = [UInt8](repeating: 0, count: size)
        var filled = 0
        while filled < size {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress.map { $0 + filled }, size - filled)
            }
            if count < 0, errno == EINTR { continue }
            try check(count >= 0)
            if count == 0 { break }
            filled += count
        }
        bytes.removeLast(size - filled)
        return Content(bytes: bytes, modified: modified)
    }

    /// Writes the file. The content is on disk when this returns.
    ///
    /// - Parameter replacing: whether to replace an existing file. If false, the call fails with `EEXIST` if the file
    ///   exists.
    /// - Returns: the time of the change, in seconds since 1970.
    @discardableResult
    package func write(_ bytes: [UInt8], replacing: Bool) throws(Failure) -> Int {
        // A killed process with the same pid may have left a draft.
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Failure(path: draft, code: errno) }
        defer { unlink(draft) }
        let modified = try fill(descriptor, bytes)
        try check((replacing ? rename(draft, path) : link(draft, path)) == 0)
        try syncDirectory()
        return modified
    }

    /// Moves the file to the path of another file and replaces that file atomically.
    package func replace(_ other: AtomicFile) throws(Failure) {
        try check(rename(path, other.path) == 0)
        try syncDirectory()
    }

    /// Deletes the file.
    package func remove() throws(Failure) {
        try check(unlink(path) == 0)
        try syncDirectory()
    }

    private func fill(_ descriptor: Int32, _ bytes: [UInt8]) throws(Failure) -> Int {
        defer { close(descriptor) }
        // `open` has applied the umask to the mode; `fchmod` sets the mode itself.
        try check(fchmod(descriptor, mode) == 0)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            try check(count > 0)
            written += count
        }
        try check(fsync(descriptor) == 0)
        return try status(of: descriptor).modified
    }

    private func status(of descriptor: Int32) throws(Failure) -> (size: Int, modified: Int) {
        var status = stat()
        try check(fstat(descriptor, &status) == 0)
        return (Int(status.st_size), status.st_mtim.tv_sec)
    }

    /// Writes the directory's entries to disk, because fsync(2) of a file does not write them.
    private func syncDirectory() throws(Failure) {
        let end = path.lastIndex(of: "/")
        let directory = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try check(descriptor >= 0)
        defer { close(descriptor) }
        try check(fsync(descriptor) == 0)
    }

    private func check(_ succeeded: Bool) throws(Failure) {
        guard succeeded else { throw Failure(path: path, code: errno) }
    }
}
