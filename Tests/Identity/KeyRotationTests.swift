import Contracts
import DatabaseSupport
import Foundation
import Testing

@testable import IdentityService

@Suite("Exchanging the keys of access tokens", .timeLimit(.minutes(2)))
struct KeyRotationTests {
    /// The folder that a test works on, with its first keys.
    private struct Folder {
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

        @discardableResult func keys(_ command: String, _ options: String...) async throws -> WarrenCommand {
            try await WarrenCommand.run(["keys", command, path] + options)
        }

        func succeed(_ command: String, _ options: String...) async throws {
            let ended = try await WarrenCommand.run(["keys", command, path] + options)
            try #require(ended.status == 0, "\(ended.output)")
            #expect(!ended.output.contains("PRIVATE"))
        }

        private func key(_ name: String) throws -> VerificationKey {
            try SigningKey(pem: String(decoding: bytes(name), as: UTF8.self)).publicKey
        }
    }

    private func withKeys(_ body: (Folder) async throws -> Void) async throws {
        try await WarrenCommand.withDirectory { path in
            let folder = Folder(path: path)
            try await folder.succeed("new")
            try await body(folder)
        }
    }

    @Test("`warren keys prepare` adds the next key's public half to the key set, and changes nothing that signs")
    func prepare() async throws {
        try await withKeys { folder in
            let old = try folder.signingKey
            try await folder.succeed("prepare")
            #expect(try folder.signingKey == old)
            #expect(try folder.keySet.keys == [old, folder.nextKey])
            #expect(try folder.permissions("next-signing-key.pem") == 0o600)
            #expect(try folder.permissions("jwks.json") == 0o644)
            #expect(try folder.files == ["signing-key.pem", "next-signing-key.pem", "jwks.json"])

            let again = try await folder.keys("prepare")
            #expect(again.status != 0)
            #expect(again.output.contains("warren keys rotate"))
            #expect(try folder.keySet.keys.count == 2)
        }
    }

    @Test("`warren keys rotate` puts the prepared key in the old one's place, whose public half stays for an hour")
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

    @Test("`warren keys rotate` does nothing with no key prepared: the ingresses must know it first")
    func unprepared() async throws {
        try await withKeys { folder in
            let before = try folder.bytes("jwks.json")
            let refused = try await folder.keys("rotate")
            #expect(refused.status != 0)
            #expect(refused.output.contains("warren keys prepare"))
            #expect(try folder.bytes("jwks.json") == before)
        }
    }

    @Test("`warren keys new --force` begins anew: a key that was prepared before never comes to sign")
    func anew() async throws {
        try await withKeys { folder in
            try await folder.succeed("prepare")
            let next = try folder.bytes("next-signing-key.pem")
            #expect(try await folder.keys("new").status != 0)
            try await folder.succeed("new", "--force")
            #expect(try folder.files == ["signing-key.pem", "jwks.json"])

            let (key, set) = try (folder.signingKey, folder.bytes("jwks.json"))
            try folder.write("next-signing-key.pem", next)
            #expect(try await folder.keys("rotate").status != 0)
            #expect(try folder.signingKey == key)
            #expect(try folder.bytes("jwks.json") == set)
        }
    }

    @Test("`warren keys prune` drops no key whose tokens may still be good, unless it is told to")
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

    @Test("a key goes an hour after another took its place, and not before")
    func expiry() {
        let (old, new) = (SigningKey().publicKey, SigningKey().publicKey)
        let start = Timestamp.now()
        var set = KeySet([old])
        set.add(new)
        set.add(new)
        set.retire(allBut: [new], at: start)
        #expect(set.prune(at: start.advanced(by: KeySet.retention - .milliseconds(1))) == [])
        // What was noted first stands.
        set.retire(allBut: [new], at: start.advanced(by: .seconds(60)))
        #expect(set.prune(at: start.advanced(by: KeySet.retention)) == [old])
        #expect(set.keys == [new])
    }

    @Test("an hour is longer than the last token of a key lives")
    func retention() {
        #expect(KeySet.retention >= .seconds(AccessTokenSigner.lifetime * 2))
    }

    @Test("keys may be exchanged again before the first are dropped")
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

    @Test("a command that was killed between its two files leaves keys that work, and can be given again")
    func crash() async throws {
        try await withKeys { folder in
            let old = try folder.signingKey
            // `prepare`, killed when it had written the key set.
            var set = try folder.keySet
            let orphan = SigningKey().publicKey
            set.add(orphan)
            try folder.write("jwks.json", set.document)
            try await folder.succeed("prepare")
            let new = try folder.nextKey
            #expect(try folder.keySet.keys == [old, orphan, new])

            // `rotate`, killed when it had noted that the old key retires, which signs on.
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

    @Test("of several commands at once one has its way, and the files fit together")
    func concurrent() async throws {
        try await withKeys { folder in
            for command in ["prepare", "rotate"] {
                let statuses = try await withThrowingTaskGroup(of: Int32.self) { group in
                    for _ in 0..<4 { group.addTask { try await folder.keys(command).status } }
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
        "a key set that is none, or that has another's keys, is left as it is",
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
                let refused = try await folder.keys(command)
                #expect(refused.status != 0)
                #expect(refused.output.contains("jwks.json"))
                #expect(try folder.bytes("jwks.json") == Array(text.utf8))
            }
        }
    }
}
