import Contracts
import Foundation
import Reactor
import TestSupport
import Testing

/// Clients that read and write in a loop and record every call, so that a test can check later that nothing that got a
/// 2xx was lost.
@Loop final class LoadGenerator {
    /// A call and its result.
    struct CallRecord: Sendable {
        /// The phase in which the call began.
        let phase: String
        let service: String
        let call: String
        /// 0 if no response came, for example because the connection broke.
        let status: Int
    }

    /// All posts of this load begin with this text.
    let mark = "load-\(randomWord(12))"
    /// The current step of the test. Each call is recorded with the phase in which it began.
    var phase = "undisturbed"
    private(set) var calls: [CallRecord] = []
    /// The ids of the posts that got a 201, by content.
    private(set) var posts: [String: String] = [:]
    /// The contents of the posts that got a 202.
    private(set) var acceptedPosts: Set<String> = []
    /// The ids of the media whose upload got a 201.
    private(set) var media: [String] = []
    private(set) var acceptedMediaCount = 0
    private(set) var uploadCount = 0
    /// The accounts whose registration got a 201 while the load ran.
    private(set) var registeredAccounts: [TestAccount] = []
    /// The accounts that make the calls: two create posts, one reads and searches, one uploads.
    let accounts: [TestAccount]
    let client: APIClient
    private var isStopping = false
    private var postCount = 0

    /// Registers the accounts that make the calls.
    init() async throws {
        client = try APIClient()
        var accounts: [TestAccount] = []
        for _ in 0..<4 { accounts.append(try await TestAccount.register(client, "load")) }
        self.accounts = accounts
    }

    /// Generates load while the body runs, and for a second afterwards.
    func run(during body: @Loop () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for author in accounts[..<2] { group.addTask { await self.repeatCall { await self.createPost(author) } } }
            group.addTask { await self.repeatCall { await self.read(self.accounts[2]) } }
            group.addTask { await self.repeatCall { await self.search(self.accounts[2]) } }
            group.addTask { await self.repeatCall { await self.upload(self.accounts[3]) } }
            group.addTask { await self.repeatCall { await self.register() } }
            let result = await outcome {
                try await body()
                try await Task.sleep(for: .seconds(1))
            }
            isStopping = true
            try result.get()
            try await group.waitForAll()
        }
    }

    private func repeatCall(_ call: () async -> Void) async {
        while !isStopping {
            await call()
            try? await Task.sleep(for: .milliseconds(40))
        }
    }

    private func record(
        _ service: String, _ call: String, _ body: () async throws -> APIResponse
    ) async -> APIResponse? {
        let phase = phase
        let response = try? await body()
        calls.append(CallRecord(phase: phase, service: service, call: call, status: response?.status ?? 0))
        return response
    }

    private func createPost(_ account: TestAccount) async {
        postCount += 1
        let content = "\(mark) \(postCount)"
        let response = await record("post", "create") { try await client.signedIn(as: account).createPost(content) }
        switch response?.status {
        case 201: posts[content] = (try? response?.json["id"]?.string) ?? ""
        case 202: acceptedPosts.insert(content)
        default: break
        }
    }

    private func read(_ account: TestAccount) async {
        _ = await record("post", "list") { try await client.signedIn(as: account).get("/v1/posts") }
        guard let id = posts.values.randomElement() else { return }
        _ = await record("post", "get") { try await client.signedIn(as: account).get("/v1/posts/\(id)") }
    }

    private func search(_ account: TestAccount) async {
        _ = await record("search", "search") { try await client.signedIn(as: account).search(mark) }
    }

    private func upload(_ account: TestAccount) async {
        uploadCount += 1
        let response = await record("media", "upload") {
            try await client.signedIn(as: account).upload(RandomPNG.make())
        }
        switch response?.status {
        case 201: media.append((try? response?.json["id"]?.string) ?? "")
        case 202: acceptedMediaCount += 1
        default: break
        }
        _ = await record("media", "list") { try await client.signedIn(as: account).get("/v1/media?limit=5") }
    }

    private func register() async {
        let (username, password) = ("load-\(randomWord(12))", randomWord(20))
        let response = await record("identity", "register") {
            try await client.post("/v1/auth/register", TestAccount.registration(username, password))
        }
        guard let response, response.status == 201, let session = try? response.json,
            let account = try? TestAccount(username: username, password: password, session: session)
        else { return }
        registeredAccounts.append(account)
    }
}
