import Glibc

/// A file that appears whole or not at all, with its permissions from its first moment on.
struct NewFile {
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

    /// Makes a directory for its owner alone, unless it is there.
    static func makeDirectory(_ path: String) throws(Failure) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Failure(path: path, code: errno) }
    }

    /// Writes the file beside its place and moves it there.
    ///
    /// - Parameter replacing: whether a file that is there gives way; else it is an error, at the very last moment too.
    func write(_ bytes: [UInt8], replacing: Bool) throws(Failure) {
        let draft = "\(path).\(getpid())"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Failure(path: draft, code: errno) }
        defer { unlink(draft) }
        try fill(descriptor, bytes)
        try check((replacing ? rename(draft, path) : link(draft, path)) == 0)
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

    private func check(_ holds: Bool) throws(Failure) {
        guard holds else { throw Failure(path: path, code: errno) }
    }
}
