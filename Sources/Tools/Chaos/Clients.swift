import ChaosKit
import Contracts
import Curl
import Reactor
import TestData

/// The clients of the HTTP API. Each repeats: choose an operation, send it, write the result into the ledger.
@Loop final class Clients {
    /// The age at which the access tokens are renewed before an episode. They are valid for 15 minutes, and an episode
    /// with a long outage takes about 12.
    private static let renewalAge: Duration = .seconds(60)
    /// The number of clients.
    private static let count = 24
    /// The number of clients that use pictures only. The others use no pictures.
    private static let mediaClients = 5
    /// The pause of a client between two operations.
    private static let pause: Duration = .milliseconds(80)

    /// An account with its access token.
    struct Account: Sendable {
        let name: String
        let password: String
        var token: String

        var email: String { "\(name)@example.org" }
    }

    let http: HTTPCaller
    /// The beginning of all names and texts of this episode.
    private(set) var prefix: String
    /// The ledger: everything that the clients asked for in this episode.
    var items: [Item] = []
    /// The commands of this episode whose outcome is open.
    var open: [OpenCommand] = []
    /// How often a command was sent, repetitions included.
    var commandCount = 0
    private(set) var accounts: [Account] = []
    /// The posts whose deletion was confirmed, and when.
    var deletedPosts: [(id: String, at: ContinuousClock.Instant)] = []
    /// Broken promises that a client has noticed itself.
    var findings: [String] = []
    /// How many times faster than usual the clients work.
    var speed = 1.0
    private let runPrefix: String
    private let seed: UInt64
    private var renewedAt = ContinuousClock.now
    private var isStopping = false
    private var lastNumber = 0

    /// - Parameters:
    ///   - prefix: the beginning of all names and texts of the run. It must be unique.
    ///   - seed: decides which operations the clients choose.
    init(http: HTTPCaller, prefix: String, seed: UInt64) {
        self.http = http
        runPrefix = prefix
        self.prefix = prefix
        self.seed = seed
    }

    /// Registers the accounts of the clients.
    func register(_ count: Int) async throws {
        for number in 0..<count {
            let (name, password) = ("\(prefix)-\(number)", "a long enough phrase \(prefix) \(number)")
            let token = try await session(
                "/v1/auth/register",
                [
                    "username": .string(name), "email": .string("\(name)@example.org"),
                    "password": .string(password),
                ])
            accounts.append(Account(name: name, password: password, token: token))
        }
        renewedAt = .now
    }

    /// Renews the access tokens if they could expire during the next episode.
    func renewTokens() async throws {
        guard .now - renewedAt > Self.renewalAge else { return }
        for index in accounts.indices {
            let account = accounts[index]
            accounts[index].token = try await session(
                "/v1/auth/login", ["email": .string(account.email), "password": .string(account.password)])
        }
        renewedAt = .now
    }

    private func session(_ path: String, _ body: JSON) async throws -> String {
        let response = await http.send(.init(.identity, "POST", path, json: body))
        guard let response, (200..<300).contains(response.status),
            let token = try JSON.parse(response.body)["accessToken"]?.string
        else { throw ChaosError("POST \(path) failed: \(response.map { "\($0.status)" } ?? "no response")") }
        return token
    }

    /// Forgets the ledger and the calls of the last episode.
    func beginEpisode(_ number: Int) {
        (items, open, findings, deletedPosts, commandCount) = ([], [], [], [], 0)
        prefix = "\(runPrefix)e\(number)"
        http.log = CallLog()
    }

    /// Lets the clients work while the body runs.
    func work(episode: Int, during body: @Loop () async throws -> Void) async throws {
        isStopping = false
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<Self.count {
                group.addTask { await self.repeatOperations(of: client, in: episode) }
            }
            for service in ServiceName.allCases { group.addTask { await self.probe(service) } }
            let result: Result<Void, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            isStopping = true
            try await group.waitForAll()
            try result.get()
        }
    }

    /// Sends a query to a service again and again, so that the log shows when the service answers.
    private func probe(_ service: ServiceName) async {
        let path =
            switch service {
            case .identity: "/v1/accounts/me"
            case .post: "/v1/posts?limit=1"
            case .media: "/v1/media?limit=1"
            case .search: "/v1/search/posts?query=\(prefix)"
            }
        while !isStopping {
            _ = await get(service, path, 0)
            try? await Loop.sleep(for: Self.pause)
        }
    }

    /// Carries out operations as one client, until the clients should finish.
    private func repeatOperations(of client: Int, in episode: Int) async {
        let number = UInt64(episode) << 16 | UInt64(client)
        var generator = SeededGenerator(seed: seed ^ number &* 0x9E37_79B9)
        while !isStopping {
            // If Cloudinary is away, an upload takes 30 s. The other clients must not wait for it.
            if client < Self.mediaClients { await operateMedia(&generator) } else { await operate(&generator) }
            let pause = Self.pause * (Double.random(in: 0.5...1.5, using: &generator) / speed)
            try? await Loop.sleep(for: pause)
        }
    }

    /// Whether the clients should finish. A command that waits for its repetition is then left for ``settle(until:)``.
    var mustFinish: Bool { isStopping }

    /// Returns a number that no other item of the run has.
    func nextNumber() -> Int {
        lastNumber += 1
        return lastNumber
    }
}

extension HTTPCaller.Request {
    /// Makes a request with an optional JSON body and the token of an account.
    init(
        _ service: ServiceName, _ method: String, _ path: String, json: JSON? = nil, body: HTTPRequest.Body = .none,
        token: String? = nil, key: String? = nil
    ) {
        var headers: [(name: String, value: String)] = []
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        if let key { headers.append(("Idempotency-Key", key)) }
        if json != nil { headers.append(("Content-Type", "application/json")) }
        self.init(
            service: service, method: method, path: path, headers: headers,
            body: json.map { .bytes($0.serialized()) } ?? body)
    }
}
