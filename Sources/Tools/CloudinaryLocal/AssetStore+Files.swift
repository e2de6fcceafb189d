import Glibc

extension AssetStore {
    /// Writes a new file and brings it to the disk; returns its time of change in seconds.
    func write(_ bytes: [UInt8], to path: String) throws -> Int {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        try check(descriptor, "open")
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            try check(Int32(truncatingIfNeeded: count), "write")
            written += count
        }
        try check(fsync(descriptor), "fsync")
        return try status(descriptor).version
    }

    /// Reads an asset's file whole; nil where there is none.
    func load(_ id: PublicID) throws -> Asset? {
        let descriptor = open(path(of: id), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0, errno == ENOENT { return nil }
        try check(descriptor, "open")
        defer { close(descriptor) }
        let (size, version) = try status(descriptor)
        let bytes = try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let more = read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                if more < 0, errno == EINTR { continue }
                try check(Int32(truncatingIfNeeded: more), "read")
                if more == 0 { return }
                count += more
            }
        }
        return Asset(bytes: bytes, version: version)
    }

    /// Brings the directory's entries to the disk, without which a new file's name may be lost.
    func syncDirectory() throws {
        let descriptor = open(assets, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try check(descriptor, "open")
        defer { close(descriptor) }
        try check(fsync(descriptor), "fsync")
    }

    func check(_ result: Int32, _ call: String) throws {
        guard result >= 0 else { throw StoreError(call: call) }
    }

    private func status(_ descriptor: Int32) throws -> (size: Int, version: Int) {
        var status = stat()
        try check(fstat(descriptor, &status), "fstat")
        return (Int(status.st_size), status.st_mtim.tv_sec)
    }
}
