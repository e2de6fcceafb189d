import AtomicFile
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Atomic files")
struct AtomicFileTests {
    /// Runs a test with an empty directory.
    private func withDirectory(_ body: (Scratch) throws -> Void) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try body(scratch)
    }

    @Test("a written file has its content, its permissions regardless of the umask, and no draft beside it")
    func write() throws {
        try withDirectory { scratch in
            let file = AtomicFile(scratch.path("a"), mode: 0o666)
            let modified = try file.write([1, 2, 3], replacing: false)
            let content = try file.read()
            #expect(content.bytes == [1, 2, 3])
            #expect(content.modified == modified)
            #expect(abs(modified - Int(Date.now.timeIntervalSince1970)) < 60)
            let permissions = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
            #expect(permissions == 0o666)
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.directory) == ["a"])
        }
    }

    @Test("an existing file is replaced if the writer asks for it, and otherwise fails the write and stays")
    func replacing() throws {
        try withDirectory { scratch in
            let file = AtomicFile(scratch.path("a"), mode: 0o600)
            try file.write([1], replacing: false)
            let failure = #expect(throws: AtomicFile.Failure.self) { try file.write([2], replacing: false) }
            #expect(failure?.code == EEXIST)
            #expect(try file.read().bytes == [1])
            try file.write([3], replacing: true)
            #expect(try file.read().bytes == [3])
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.directory) == ["a"])
        }
    }

    @Test("a draft that a killed process left does not fail the next write")
    func oldDraft() throws {
        try withDirectory { scratch in
            let file = AtomicFile(scratch.path("a"), mode: 0o600, draft: scratch.path("draft"))
            try Data([9]).write(to: URL(filePath: scratch.path("draft")))
            try file.write([1], replacing: false)
            #expect(try file.read().bytes == [1])
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.directory) == ["a"])
        }
    }

    @Test("a file can be moved to another's path and deleted, and reading a missing one fails with ENOENT")
    func moveAndRemove() throws {
        try withDirectory { scratch in
            let (old, new) = (
                AtomicFile(scratch.path("old"), mode: 0o600), AtomicFile(scratch.path("new"), mode: 0o600)
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
