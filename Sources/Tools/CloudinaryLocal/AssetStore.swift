import AtomicFile
import FoundationEssentials
import Glibc

/// The assets on disk. Each asset is a file whose name is made from the public id.
struct AssetStore: Sendable {
    struct Asset: Sendable {
        let bytes: [UInt8]
        /// The time of the upload, in seconds since 1970.
        let version: Int
    }

    private let assets: String
    private let temporary: String

    /// Opens a store: creates its directories if they are missing, and deletes the files of interrupted uploads.
    init(directory: String) throws {
        assets = directory + "/assets"
        temporary = directory + "/temporary"
        try FileManager.default.createDirectory(atPath: assets, withIntermediateDirectories: true)
        try? FileManager.default.removeItem(atPath: temporary)
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
    }

    /// Stores an asset. It is on disk when this returns.
    ///
    /// - Parameter overwrite: whether to replace an existing asset. If false, the existing asset is kept and returned.
    /// - Returns: the stored asset, and whether an asset with this id existed before.
    @concurrent
    func put(_ bytes: [UInt8], as id: PublicID, overwrite: Bool) async throws -> (asset: Asset, existed: Bool) {
        let file = file(of: id)
        let existed = file.exists
        do throws(AtomicFile.Failure) {
            let version = try file.write(bytes, replacing: overwrite)
            return (Asset(bytes: bytes, version: version), overwrite && existed)
        } catch {
            guard !overwrite, error.code == EEXIST, let asset = try load(id) else { throw error }
            return (asset, true)
        }
    }

    /// Returns an asset, or nil if there is none with this id.
    @concurrent
    func get(_ id: PublicID) async throws -> Asset? {
        try load(id)
    }

    /// Deletes an asset.
    ///
    /// - Returns: whether it existed.
    @concurrent
    func remove(_ id: PublicID) async throws -> Bool {
        do throws(AtomicFile.Failure) {
            try file(of: id).remove()
            return true
        } catch {
            guard error.code == ENOENT else { throw error }
            return false
        }
    }

    /// Returns the public ids of all assets, sorted.
    @concurrent
    func list() async throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: assets)
            .compactMap { PublicID(fileName: $0)?.text }
            .sorted()
    }

    private func load(_ id: PublicID) throws(AtomicFile.Failure) -> Asset? {
        do throws(AtomicFile.Failure) {
            let content = try file(of: id).read()
            return Asset(bytes: content.bytes, version: content.modified)
        } catch {
            guard error.code == ENOENT else { throw error }
            return nil
        }
    }

    private func file(of id: PublicID) -> AtomicFile {
        AtomicFile("\(assets)/\(id.fileName)", mode: 0o644, draft: "\(temporary)/\(UUID().uuidString)")
    }
}
