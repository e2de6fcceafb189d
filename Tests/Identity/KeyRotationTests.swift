import Contracts
import DatabaseSupport
import Foundation
import Testing

@testable import IdentityService

@Suite("Key rotation", .timeLimit(.minutes(2)))
struct KeyRotationTests {
    /// The directory on which `warren keys` works.
    private struct KeyDirectory {
        let path: String

        var signingKey: VerificationKey { get throws { try key("signing-key.pem") } }
        var nextKey: VerificationKey { get throws { try key("next-signing-key.pem") } }
        var keySet: KeySet { get throws { try KeySet(jwks: bytes("jwks.json")) } }
        var files: Set<String> { get throws { try Set(FileManager.default.contentsOfDirectory(atPath: path)) } }

        func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: "\(path)/\(name)"))) }

        func write(_ name: String, _ bytes: [UInt8]) throws {
            try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
        }

        func permissions(_ name: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.posixPermissions] as? Int
        }

        /// Runs `warren keys COMMAND DIRECTORY` and returns the finished run.
        func run(_ command: String, _ options: String...) async throws -> WarrenCommand {
            try await WarrenCommand.run(["keys", command, path] + options)
        }

        /// Runs `warren keys COMMAND DIRECTORY`, and requires that it succeeds and prints no private key.
        func succeed(_ command: String, _ options: String...) async throws {
            let finished = try await WarrenCommand.run(["keys", command, path] + options)
            try #require(finished.status == 0, "\(finished.output)")
            #expect(!finished.output.contains("PRIVATE"))
        }

        private func key(_ name: String) throws -> VerificationKey {
            try SigningKey(pem: String(decoding: bytes(name), as: UTF8.self)).publicKey
        }
    }

    private func withKeys(_ body: (KeyDirectory) async throws -> Void) async throws {
        try await WarrenCommand.withDirectory { path in
            let folder = KeyDirectory(path: path)
            try await folder.succeed("new")
            try await body(folder)
        }
    }

    @Test("`warren keys prepare` adds the next public key to the key set and keeps the signing key")
    func prepare() async throws {
        try await withKeys { folder in
            let old = try folder.signingKey
            try await folder.succeed("prepare")
            #expect(try folder.signingKey == old)
            #expect(try folder.keySet.keys == [old, folder.nextKey])
            #expect(try folder.permissions("next-signing-key.pem") == 0o600)
            #expect(try folder.permissions("jwks.json") == 0o644)
            #expect(try folder.files == ["signing-key.pem", "next-signing-key.pem", "jwks.json"])

            let again = try await folder.run("prepare")
            #expect(again.status != 0)
            #expect(again.output.contains("warren keys rotate"))
            #expect(try folder.keySet.keys.count == 2)
        }
    }

    @Test("`warren keys rotate` makes the prepared key sign and keeps the old public key for an hour")
    func rotate() async throws {
        try await withKeys { folder in
            let old = try folder.signingKey
            try await folder.succeed("prepare")
            let new = try folder.nextKey
            try await folder.succeed("rotate")
            #expect(try folder.signingKey == new)
            #expect(try folder.keySet.keys == [old, new])
            #expect(try folder.permissions("signing-key.pem") == 0o600)
            #expect(try folder.files == ["signing-key.pem", "jwks.json"])

            let expiry = try #require(try folder.keySet.expiry(of: old))
            #expect((.seconds(3500) ... .seconds(3600)).contains(expiry.since(.now())))
            #expect(try folder.keySet.expiry(of: new) == nil)
        }
    }

    @Test("`warren keys rotate` without a prepared key fails and changes no file")
    func unprepared() async throws {
        try await withKeys { folder in
            let before = try folder.bytes("jwks.json")
            let refused = try await folder.run("rotate")
            #expect(refused.status != 0)
            #expect(refused.output.contains("warren keys prepare"))
            #expect(try folder.bytes("jwks.json") == before)
        }
    }

    @Test("`warren keys new --force` deletes a prepared key, and `rotate` then refuses that key")
    func anew() async throws {
        try await withKeys { folder in
            try await folder.succeed("prepare")
            let next = try folder.bytes("next-signing-key.pem")
            #expect(try await folder.run("new").status != 0)
            try await folder.succeed("new", "--force")
            #expect(try folder.files == ["signing-key.pem", "jwks.json"])

            let (key, set) = try (folder.signingKey, folder.bytes("jwks.json"))
            try folder.write("next-signing-key.pem", next)
            #expect(try await folder.run("rotate").status != 0)
            #expect(try folder.signingKey == key)
            #expect(try folder.bytes("jwks.json") == set)
        }
    }

    @Test("only with --now does `warren keys prune` remove a retired key whose tokens can still be valid")
    func prune() async throws {
        try await withKeys { folder in
            let old = try folder.signingKey
            try await folder.succeed("prepare")
            try await folder.succeed("prune", "--now")
            #expect(try folder.keySet.keys.count == 2)
            try await folder.succeed("rotate")
            try await folder.succeed("prune")
            #expect(try folder.keySet.keys == [old, folder.signingKey])
            try await folder.succeed("prune", "--now")
            #expect(try folder.keySet.keys == [folder.signingKey])
            #expect(try folder.permissions("jwks.json") == 0o644)
        }
    }

    @Test("a retired key is removed an hour after its retirement and not before")
    func expiry() {
        let (old, new) = (SigningKey().publicKey, SigningKey().publicKey)
        let start = Timestamp.now()
        var set = KeySet([old])
        set.add(new)
        set.add(new)
        set.retire(allBut: [new], at: start)
        #expect(set.prune(at: start.advanced(by: KeySet.retention - .milliseconds(1))) == [])
        // A key that was retired before keeps its expiry.
        set.retire(allBut: [new], at: start.advanced(by: .seconds(60)))
        #expect(set.prune(at: start.advanced(by: KeySet.retention)) == [old])
        #expect(set.keys == [new])
    }

    @Test("a retired key is kept for at least twice the lifetime of an access token")
    func retention() {
        #expect(KeySet.retention >= .seconds(AccessTokenSigner.lifetime * 2))
    }

    @Test("keys can be rotated again before the first retired key is removed")
    func twice() async throws {
        try await withKeys { folder in
            for _ in 0..<2 {
                try await folder.succeed("prepare")
                try await folder.succeed("rotate")
            }
            #expect(try folder.keySet.keys.count == 3)
            try await folder.succeed("prepare")
            try await folder.succeed("prune", "--now")
            #expect(try folder.keySet.keys == [folder.signingKey, folder.nextKey])
        }
    }

    @Test("a `warren keys` command killed between its two file writes leaves working keys and can be repeated")
    func crash() async throws {
        try await withKeys { folder in
            let old = try folder.signingKey
            // The files as `prepare` leaves them if it is killed after it has written the key set.
            var set = try folder.keySet
            let orphan = SigningKey().publicKey
            set.add(orphan)
            try folder.write("jwks.json", set.document)
            try await folder.succeed("prepare")
            let new = try folder.nextKey
            #expect(try folder.keySet.keys == [old, orphan, new])

            // The files as `rotate` leaves them if it is killed after it has retired the old key, which still signs.
            set = try folder.keySet
            set.retire(allBut: [new], at: .now())
            try folder.write("jwks.json", set.document)
            try await folder.succeed("prune", "--now")
            #expect(try folder.keySet.keys == [old, new])
            #expect(try folder.keySet.expiry(of: old) == nil)
            try await folder.succeed("rotate")
            #expect(try folder.signingKey == new)
            #expect(try folder.keySet.expiry(of: old) != nil)
        }
    }

    @Test("exactly one of four concurrent `warren keys` commands succeeds, and the files are consistent")
    func concurrent() async throws {
        try await withKeys { folder in
            for command in ["prepare", "rotate"] {
                let statuses = try await withThrowingTaskGroup(of: Int32.self) { group in
                    for _ in 0..<4 { group.addTask { try await folder.run(command).status } }
                    var statuses: [Int32] = []
                    for try await status in group { statuses.append(status) }
                    return statuses
                }
                #expect(statuses.filter { $0 == 0 }.count == 1)
            }
            #expect(try folder.keySet.keys.count == 2)
            #expect(try folder.keySet.keys.last == folder.signingKey)
            #expect(try folder.files == ["signing-key.pem", "jwks.json"])
        }
    }

    @Test(
        "`warren keys` refuses a malformed key set and one that it did not make, and leaves the file unchanged",
        arguments: ["prepare", "rotate", "prune"])
    func foreign(_ command: String) async throws {
        try await withKeys { folder in
            if command != "prepare" { try await folder.succeed("prepare") }
            let good = String(decoding: try folder.bytes("jwks.json"), as: UTF8.self)
            let name = try folder.signingKey.identifier
            for text in [
                "", "{", #"{"keys":[]}"#, good.replacing(name, with: "mine"), good.replacing("P-256", with: "P-384"),
            ] {
                try folder.write("jwks.json", Array(text.utf8))
                let refused = try await folder.run(command)
                #expect(refused.status != 0)
                #expect(refused.output.contains("jwks.json"))
                #expect(try folder.bytes("jwks.json") == Array(text.utf8))
            }
        }
    }
}
