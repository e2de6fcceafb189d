import Glibc

/// A file that appears whole or not at all, with its permissions from its first moment on.
struct WholeFile {
    /// A step that the system refused.
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let code: Int32

        var description: String { "\(path): \(String(cString: strerror(code)))" }
    }

    let path: String
    private let mode: mode_t

    init(_ path: String, mode: mode_t) {
        self.path = path
        self.mode = mode
    }

    var exists: Bool { access(path, F_OK) == 0 }

    /// All that is in it.
    func read() throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        try check(descriptor >= 0)
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            try check(count >= 0)
            guard count > 0 else { return bytes }
            bytes += buffer.prefix(count)
        }
    }

    /// Writes the file beside its place and moves it there.
    ///
    /// - Parameter replacing: whether a file that is there gives way; else it is an error, at the very last moment too.
    func write(_ bytes: [UInt8], replacing: Bool) throws(Failure) {
        let draft = "\(path).\(getpid())"
        // What a process of the same number left behind when it was killed.
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Failure(path: draft, code: errno) }
        defer { unlink(draft) }
        try fill(descriptor, bytes)
        try check((replacing ? rename(draft, path) : link(draft, path)) == 0)
        try keepDirectory()
    }

    /// Moves the file into another's place, which is never empty meanwhile.
    func replace(_ other: WholeFile) throws(Failure) {
        try check(rename(path, other.path) == 0)
        try keepDirectory()
    }

    func remove() throws(Failure) {
        try check(unlink(path) == 0)
        try keepDirectory()
    }

    private func fill(_ descriptor: Int32, _ bytes: [UInt8]) throws(Failure) {
        defer { close(descriptor) }
        // The mode given to `open` was cut by the umask.
        try check(fchmod(descriptor, mode) == 0)
        var left = bytes[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            try check(count > 0)
            left = left.dropFirst(count)
        }
        try check(fsync(descriptor) == 0)
    }

    /// Has the directory's new entry on disk too (fsync(2), notes).
    private func keepDirectory() throws(Failure) {
        let end = path.lastIndex(of: "/")
        let directory = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try check(descriptor >= 0)
        defer { close(descriptor) }
        try check(fsync(descriptor) == 0)
    }

    private func check(_ holds: Bool) throws(Failure) {
        guard holds else { throw Failure(path: path, code: errno) }
    }
}
