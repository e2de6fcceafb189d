import TestSupport
import Testing

@testable import Argon2

/// A low cost, so that a test can compute many hashes.
let cheap = Argon2Cost(memory: 64, passes: 1, lanes: 1)

extension PasswordHash {
    static func hash(_ password: String, cost: Argon2Cost = .standard) async throws(Argon2Error) -> String {
        try await hash(Array(password.utf8), cost: cost)
    }

    static func verify(_ password: String, against encoded: String) async throws(Argon2Error) -> Bool {
        try await verify(Array(password.utf8), against: encoded)
    }
}

@Suite("Password hash", .timeLimit(.minutes(2)))
struct PasswordHashTests {
    // The vectors are from src/test.c of the reference implementation.
    @Test("hashes are equal to the test vectors of argon2's reference implementation")
    func vectors() async throws {
        let vectors = [
            (memory: UInt32(65536), hash: "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
            (memory: UInt32(256), hash: "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
        ]
        for vector in vectors {
            let encoded = "$argon2id$v=19$m=\(vector.memory),t=2,p=1$c29tZXNhbHQ$\(vector.hash)"
            let cost = Argon2Cost(memory: vector.memory, passes: 2, lanes: 1)
            let result = PasswordHash.hash(
                Array("password".utf8), salt: Array("somesalt".utf8), hashSize: 32, cost: cost)
            #expect(try result.get() == encoded)
            #expect(try await PasswordHash.verify("password", against: encoded))
            #expect(try await !PasswordHash.verify("Password", against: encoded))
        }
    }

    @Test("verify() returns true for the password of a hash and false for other passwords")
    func roundTrip() async throws {
        for password in ["", "correct horse battery staple", "pässwörd 🔑", String(repeating: "x", count: 100_000)] {
            let encoded = try await PasswordHash.hash(password, cost: cheap)
            #expect(try await PasswordHash.verify(password, against: encoded))
            #expect(try await !PasswordHash.verify(password + "x", against: encoded))
        }
        let bytes: [UInt8] = [0, 1, 0, 255]
        let encoded = try await PasswordHash.hash(bytes, cost: cheap)
        #expect(try await PasswordHash.verify(bytes, against: encoded))
        #expect(try await !PasswordHash.verify([0] as [UInt8], against: encoded))
    }

    @Test("two hashes of one password differ, and have the standard cost")
    func salt() async throws {
        let first = try await PasswordHash.hash("secret")
        let second = try await PasswordHash.hash("secret")
        #expect(first != second)
        #expect(first.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(first.split(separator: "$").map(\.count) == [8, 4, 15, 22, 43])
    }

    @Test(
        "verify() throws .malformedHash if the stored hash is malformed or has a cost that is not allowed",
        arguments: [
            "", "$", "$$$$$", "password", "$argon2id$", "$argon2id$v=19$m=64,t=1,p=1$$",
            "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4$",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi!4",
            "$argon2id$v=18$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=-8,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=4294967296,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=64,t=4294967295,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=64,t=1,p=16777215$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + String(repeating: "A", count: 100_000),
            "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ\0$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
        ])
    func malformed(encoded: String) async {
        await #expect {
            try await PasswordHash.verify("password", against: encoded)
        } throws: {
            ($0 as? Argon2Error)?.code == .malformedHash
        }
    }

    @Test("hash() throws .invalidCost for a cost that argon2 does not allow")
    func cost() async {
        for cost in [Argon2Cost(memory: 64, passes: 0, lanes: 1), Argon2Cost(memory: 1, passes: 1, lanes: 1)] {
            await #expect {
                try await PasswordHash.hash("secret", cost: cost)
            } throws: {
                ($0 as? Argon2Error)?.code == .invalidCost
            }
        }
    }
}
