import Contracts

@testable import Ingress

/// The fuzz target for access tokens.
struct TokenTarget: Sendable {
    private let verifier: TokenVerifier

    /// Makes the target with a fixed public key. The private key signed only the token below, which was valid for 15
    /// minutes in 2023, and was then destroyed.
    init() async throws {
        let keys =
            #"{"keys":[{"kty":"EC","crv":"P-256","kid":"fuzz","x":"AGYXiRx6joTOwnDW08iC_EgwwSVU9-yt1WdZlF5ght8","y":"Dy9IonxuFdTxx5QfYrksUeO4rUagyShkV0VaXjmgnh8"}]}"#
        verifier = TokenVerifier(keys: try await PublicKeys(jwks: keys), issuer: "warren", audience: "warren")
    }

    private static let signed =
        "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImZ1enoifQ"
        + ".eyJpc3MiOiJ3YXJyZW4iLCJhdWQiOiJ3YXJyZW4iLCJzdWIiOiIwMTkwYjVjNi0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMGEiLCJuYW1lIjoiYWxpY2UiLCJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDAwMDkwMCwianRpIjoieCJ9"
    private static let token =
        signed + ".SU6DTcODMjDTodZWd8d-Jz2CdajILEmYfEZQZqih8veIw7YciodHg557gqY9CLBXi6rKZOZoazD3i0irOgF2iA"

    /// Verifies an input as a token, at a time at which the genuine token is valid.
    ///
    /// - Returns: a description of the failure; `nil` if the result is right.
    func failure(in input: [UInt8]) -> String? {
        let text = String(decoding: input, as: UTF8.self)
        let isAccepted = (try? verifier.verify(text, at: Timestamp(milliseconds: 1_700_000_100_000))) != nil
        if text == Self.token { return isAccepted ? nil : "the genuine token is refused" }
        guard isAccepted else { return nil }
        return text.hasPrefix(Self.signed + ".") ? nil : "a forged token is accepted"
    }

    static let seeds: [[UInt8]] = [
        token, signed + ".", "\(signed).\(signed)", "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJIUzI1NiIsImtpZCI6ImZ1enoifQ.e30.AA",
        "eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLy4uL2V0Yy9wYXNzd2QifQ.e30.AA", "..", "a.b.c",
    ].map { Array($0.utf8) }

    static let dictionary: [[UInt8]] = [
        ".", "=", "eyJ", "-", "_", "+", "/", "e30", "eyJhbGciOiJub25lIn0", "AAAA", String(repeating: "A", count: 86),
        String(repeating: "A", count: 9000), "\u{0}", " ",
    ].map { Array($0.utf8) }
}
