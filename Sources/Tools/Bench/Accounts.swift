import BenchKit
import Contracts
import Curl
import FoundationEssentials
import Reactor

/// The accounts of the bench. They are registered over HTTP.
@Loop final class Accounts {
    /// Tokens older than this are renewed by a login. Tokens are valid for 15 minutes.
    private static let renewalAge: Duration = .seconds(420)
    /// The requests at the same time. More would not be faster, because a password hash takes a core.
    private static let concurrency = 4

    private let url: String
    private let client: CurlClient
    private var renewedAt: ContinuousClock.Instant
    private(set) var all: [BenchAccount] = []

    /// Registers accounts with random names.
    ///
    /// - Throws: ``BenchError`` if a request fails.
    init(count: Int, url: String) async throws {
        self.url = url
        client = try CurlClient(maximumConnections: Self.concurrency)
        renewedAt = .now
        all = try await inTurns(Array(0..<count)) { number in
            let name = "bench-\(UUID.v7().text.filter { $0 != "-" })"
            let password = "a long phrase \(name.suffix(12)) \(number)"
            let body: JSON = [
                "username": .string(String(name.suffix(30))), "email": .string("\(name)@example.org"),
                "password": .string(password),
            ]
            let token = try await self.session("/v1/auth/register", body, status: 201)
            return BenchAccount(email: "\(name)@example.org", password: password, token: token)
        }
    }

    /// Logs all accounts in again if their tokens could expire soon.
    func renewTokens() async throws {
        guard .now - renewedAt > Self.renewalAge else { return }
        renewedAt = .now
        all = try await inTurns(all) { account in
            var account = account
            let body: JSON = ["email": .string(account.email), "password": .string(account.password)]
            account.token = try await self.session("/v1/auth/login", body, status: 200)
            return account
        }
    }

    func close() { client.close() }

    /// Sends a request that starts a session, and returns the access token.
    private func session(_ path: String, _ body: JSON, status: Int) async throws -> String {
        let response = try await client.perform(
            HTTPRequest(
                method: "POST", url: url + path, headers: [("Content-Type", "application/json")],
                body: .bytes(body.serialized())))
        guard response.status == status, let token = try JSON.parse(response.body)["accessToken"]?.string else {
            throw BenchError(
                "POST \(path) got \(response.status): \(String(decoding: response.body.prefix(500), as: UTF8.self))")
        }
        return token
    }

    /// Calls a function with each element, a few at the same time, and returns the results in order.
    private func inTurns<Element: Sendable, Output: Sendable>(
        _ elements: [Element], _ body: @escaping @Loop @Sendable (Element) async throws -> Output
    ) async throws -> [Output] {
        try await withThrowingTaskGroup(of: (Int, Output).self) { group in
            var results: [Output?] = Array(repeating: nil, count: elements.count)
            for (index, element) in elements.enumerated() {
                if index >= Self.concurrency, let (done, result) = try await group.next() { results[done] = result }
                group.addTask { (index, try await body(element)) }
            }
            for try await (done, result) in group { results[done] = result }
            return results.compactMap { $0 }
        }
    }
}
