import FoundationEssentials
import Glibc

/// The assets as files: one file each, under a name made from its public id; its time of change is its version.
struct AssetStore: Sendable {
    /// A stored file and when it was stored, in seconds since the epoch.
    struct Asset: Sendable {
        let bytes: [UInt8]
        let version: Int
    }

    let assets: String
    let temporary: String

    /// Opens the store, makes its directories where they are missing and removes what an interrupted upload left.
    init(directory: String) throws {
        assets = directory + "/assets"
        temporary = directory + "/temporary"
        try FileManager.default.createDirectory(atPath: assets, withIntermediateDirectories: true)
        try? FileManager.default.removeItem(atPath: temporary)
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
    }

    /// Stores a file whole or not at all, on disk before it returns.
    ///
    /// - Returns: whether an asset of that name was there before; where `overwrite` is false, that one stays.
    @concurrent
    func put(_ bytes: [UInt8], as id: PublicID, overwrite: Bool) async throws -> (asset: Asset, existed: Bool) {
        let draft = "\(temporary)/\(UUID().uuidString)"
        defer { unlink(draft) }
        let version = try write(bytes, to: draft)
        let path = path(of: id)
        var existed = access(path, F_OK) == 0
        if overwrite {
            try check(rename(draft, path), "rename")
        } else if link(draft, path) != 0 {
            guard errno == EEXIST, let asset = try load(id) else { throw StoreError(call: "link") }
            return (asset, true)
        } else {
            existed = false
        }
        try syncDirectory()
        return (Asset(bytes: bytes, version: version), existed)
    }

    /// The asset of that name, where there is one.
    @concurrent
    func get(_ id: PublicID) async throws -> Asset? {
        try load(id)
    }

    /// Removes an asset; says whether it was there.
    @concurrent
    func remove(_ id: PublicID) async throws -> Bool {
        guard unlink(path(of: id)) == 0 else {
            guard errno == ENOENT else { throw StoreError(call: "unlink") }
            return false
        }
        try syncDirectory()
        return true
    }

    /// The public ids of all assets, sorted.
    @concurrent
    func list() async throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: assets)
            .compactMap { PublicID(fileName: $0)?.text }
            .sorted()
    }

    func path(of id: PublicID) -> String { "\(assets)/\(id.fileName)" }
}

/// A call to the operating system that failed.
struct StoreError: Error {
    let call: String
    let code = errno
}
