import Contracts
import FoundationEssentials
import Testing
import WorkerKit

@testable import Ingress

@Suite("Receipt tokens")
struct ReceiptTokenTests {
    private let caller = Caller(id: .v7(), username: "ada")
    private let old = String(repeating: "o", count: 32)
    private let new = String(repeating: "n", count: 32)
    private let time = Timestamp(milliseconds: 1_738_314_300_123)

    private var command: OutgoingRequest {
        OutgoingRequest(Messages.Post.create.descriptor, caller: caller, body: [], requestID: "token-test")
    }

    @Test("a token has the id and the time of its command")
    func content() throws {
        let (tokens, command) = (try ReceiptTokens(keys: [new]), command)
        let token = tokens.token(for: command, acceptedAt: time)
        #expect(
            tokens.content(of: token, service: .post, caller: caller)
                == ReceiptTokens.Content(id: command.id, acceptedAt: time))
    }

    @Test("a token is refused for another caller or service, and if any of its bytes is changed, added or missing")
    func forged() throws {
        let tokens = try ReceiptTokens(keys: [new])
        let token = tokens.token(for: command, acceptedAt: time)
        #expect(tokens.content(of: token, service: .media, caller: caller) == nil)
        #expect(tokens.content(of: token, service: .post, caller: Caller(id: .v7(), username: "ada")) == nil)
        #expect(tokens.content(of: token, service: .post, caller: nil) == nil)
        let bytes = try #require(Base64URL.decode(token.utf8))
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(tokens.content(of: Base64URL.encode(changed), service: .post, caller: caller) == nil)
            let short = Base64URL.encode(bytes[..<index])
            #expect(tokens.content(of: short, service: .post, caller: caller) == nil)
        }
        #expect(tokens.content(of: Base64URL.encode(bytes + [0]), service: .post, caller: caller) == nil)
        for text in ["", "-", UUID.v7().text] {
            #expect(tokens.content(of: text, service: .post, caller: caller) == nil)
        }
    }

    @Test("tokens of a former key stay valid until the key is removed")
    func rotation() throws {
        let before = try ReceiptTokens(keys: [old])
        let during = try ReceiptTokens(keys: [new, old])
        let after = try ReceiptTokens(keys: [new])
        let (oldToken, newToken) = (
            before.token(for: command, acceptedAt: time), during.token(for: command, acceptedAt: time)
        )
        for (tokens, oldIsValid, newIsValid) in [(before, true, false), (during, true, true), (after, false, true)] {
            #expect((tokens.content(of: oldToken, service: .post, caller: caller) != nil) == oldIsValid)
            #expect((tokens.content(of: newToken, service: .post, caller: caller) != nil) == newIsValid)
        }
    }

    @Test("keys shorter than 32 bytes, and an empty list of keys, are refused", arguments: [[], [""], ["short"]])
    func keys(keys: [String]) {
        #expect(throws: (any Error).self) { try ReceiptTokens(keys: keys) }
    }
}
