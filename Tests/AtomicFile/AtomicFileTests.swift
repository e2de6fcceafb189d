import AtomicFile
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Atomic files")
struct AtomicFileTests {
    /// Runs a test with an empty directory.
    private func withDirectory(_ body: (TemporaryFolder) throws -> Void) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try body(folder)
    }

    @Test("a write leaves a file with the content and the permissions, regardless of the umask, and no draft")
    func write() throws {
        try withDirectory { folder in
            let file = AtomicFile(folder.path("a"), mode: 0o666)
            let modified = try file.write([1, 2, 3], replacing: false)
            let content = try file.read()
            #expect(content.bytes == [1, 2, 3])
            #expect(content.modified == modified)
            #expect(abs(modified - Int(Date.now.timeIntervalSince1970)) < 60)
            let permissions = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
            #expect(permissions == 0o666)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a"])
        }
    }

    @Test("a write with replacing replaces an existing file, and without it fails with EEXIST and changes nothing")
    func replacing() throws {
        try withDirectory { folder in
            let file = AtomicFile(folder.path("a"), mode: 0o600)
            try file.write([1], replacing: false)
            let failure = #expect(throws: AtomicFile.Failure.self) { try file.write([2], replacing: false) }
            #expect(failure?.code == EEXIST)
            #expect(try file.read().bytes == [1])
            try file.write([3], replacing: true)
            #expect(try file.read().bytes == [3])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a"])
        }
    }

    @Test("a write succeeds even if a killed process left a draft")
    func oldDraft() throws {
        try withDirectory { folder in
            let file = AtomicFile(folder.path("a"), mode: 0o600, draft: folder.path("draft"))
            try Data([9]).write(to: URL(filePath: folder.path("draft")))
            try file.write([1], replacing: false)
            #expect(try file.read().bytes == [1])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a"])
        }
    }

    @Test("a file can replace another file and can be deleted, and reading a missing file fails with ENOENT")
    func moveAndRemove() throws {
        try withDirectory { folder in
            let (old, new) = (
                AtomicFile(folder.path("old"), mode: 0o600), AtomicFile(folder.path("new"), mode: 0o600)
            )
            try old.write([1], replacing: false)
            try new.write([2], replacing: false)
            try new.replace(old)
            #expect(try old.read().bytes == [2])
            #expect(!new.exists)
            try old.remove()
            #expect(!old.exists)
            let failure = #expect(throws: AtomicFile.Failure.self) { _ = try old.read() }
            #expect(failure?.code == ENOENT)
            #expect(failure?.description.hasPrefix(old.path) == true)
        }
    }
}
