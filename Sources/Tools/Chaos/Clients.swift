import ChaosKit
import Contracts
import Curl
import Reactor
import TestData

/// The clients of the HTTP API. Each repeats: choose an operation, send it, write the outcome into the ledger.
@Loop final class Clients {
    /// The age at which the access tokens are renewed before an episode. They are valid for 15 minutes, and an episode
    /// with a long outage takes about 12.
    private static let renewalAge: Duration = .seconds(60)
    /// The number of clients.
    static let count = 24
    /// The number of clients that use pictures only. The others use no pictures.
    private static let mediaClients = 5
    /// The pauses between two uploads and between two logins of the probes.
    private static let uploadPause: Duration = .seconds(2)
    private static let loginPause: Duration = .milliseconds(500)
    /// The pause of a client between two operations.
    private static let pause: Duration = .milliseconds(80)

    /// An account with its access token.
    struct Account: Sendable {
        let name: String
        let password: String
        let id: String
        var token: String

        var email: String { "\(name)@example.org" }
    }

    let http: HTTPCaller
    /// The beginning of all names and texts of this episode.
    private(set) var prefix: String
    /// The ledger: everything that the clients asked for in this episode.
    var items: [Item] = []
    /// The indices of ``items`` by mark.
    private(set) var itemsByMark: [String: Int] = [:]
    /// The items of earlier episodes.
    private(set) var earlierItems: [Item] = []
    /// The marks of all items of the run, and the names of the accounts.
    private(set) var marks: Set<String> = []
    /// The items of this episode whose creation is confirmed and that no client has tried to delete, by kind.
    var confirmed: [Item.Kind: [Int]] = [:]
    /// The commands of this episode whose outcome is open.
    var open: [OpenCommand] = []
    /// The number of commands that got a 2xx.
    var commandCount = 0
    private(set) var accounts: [Account] = []
    /// The posts whose deletion was confirmed, and when.
    var deletedPosts: [(id: String, at: ContinuousClock.Instant)] = []
    /// The deleted posts for which a client had searched before.
    var foundPosts: [(id: String, mark: String)] = []
    /// By how much the times of the last new post and the last new picture were ahead of the suite's clock.
    var clockOffsets: [ServiceName: Duration] = [:]
    /// Broken promises that a client has noticed itself.
    var findings: [String] = []
    /// Returns whether the database has a post; `nil` if it does not answer.
    let isStored: @Loop (_ post: String) async -> Bool?
    /// The faults of this episode.
    private(set) var runs: [FaultRun] = []
    /// How many times faster than usual the clients work.
    var speed = 1.0
    private let runPrefix: String
    private let seed: UInt64
    private var renewedAt = ContinuousClock.now
    /// Whether the clients should finish. A command that waits for its repetition is then left for ``settle(until:)``.
    private(set) var isStopping = false
    private var lastNumber = 0

    /// - Parameters:
    ///   - prefix: the beginning of all names and texts of the run. It must be unique.
    ///   - seed: decides which operations the clients choose.
    ///   - isStored: returns whether the database has a post; `nil` if it does not answer.
    init(
        http: HTTPCaller, prefix: String, seed: UInt64, isStored: @escaping @Loop (_ post: String) async -> Bool?
    ) {
        self.http = http
        self.isStored = isStored
        runPrefix = prefix
        self.prefix = prefix
        self.seed = seed
    }

    /// Registers the accounts of the clients.
    func register(_ count: Int) async throws {
        for number in 0..<count {
            let (name, password) = ("\(prefix)-\(number)", "a long enough phrase \(prefix) \(number)")
            let session = try await session(
                "/v1/auth/register",
                [
                    "username": .string(name), "email": .string("\(name)@example.org"),
                    "password": .string(password),
                ])
            accounts.append(Account(name: name, password: password, id: session.account, token: session.token))
            marks.insert(name)
        }
        renewedAt = .now
    }

    /// Renews the access tokens if they could expire during the next episode.
    func renewTokens() async throws {
        guard .now - renewedAt > Self.renewalAge else { return }
        for index in accounts.indices {
            let account = accounts[index]
            accounts[index].token = try await session(
                "/v1/auth/login", ["email": .string(account.email), "password": .string(account.password)]
            ).token
        }
        renewedAt = .now
    }

    /// Returns the id of an account and an access token. Repeats the request for some seconds, because a process may
    /// still reconnect after the last fault.
    private func session(_ path: String, _ body: JSON) async throws -> (account: String, token: String) {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let response = await http.send(.init(.identity, "POST", path, json: body))
            if let response, (200..<300).contains(response.status) {
                let session = try JSON.parse(response.body)
                if let account = session["account"]?["id"]?.string, let token = session["accessToken"]?.string {
                    return (account, token)
                }
            }
            guard .now < deadline, response?.status ?? 503 >= 500 else {
                throw ChaosError("POST \(path) failed: \(response.map { "\($0.status)" } ?? "no response")")
            }
            try await Loop.sleep(for: .milliseconds(500))
        }
    }

    /// Begins a new ledger, and forgets the calls of the last episode.
    func beginEpisode(_ number: Int, _ runs: [FaultRun]) {
        self.runs = runs
        earlierItems += items
        (items, confirmed, open, findings, deletedPosts, commandCount) = ([], [:], [], [], [], 0)
        (foundPosts, clockOffsets, itemsByMark) = ([], [:], [:])
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
            group.addTask { await self.probeUploads() }
            group.addTask { await self.probeLogins() }
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

    /// Begins uploads, so that the log of calls shows when the service serves uploads again. All clients that upload
    /// pictures may wait for Cloudinary or for a repetition.
    private func probeUploads() async {
        await begin(every: Self.uploadPause) { account in
            let upload = self.newUpload(account)
            await self.attempt(upload)
        }
    }

    /// Begins logins, so that the log of calls shows when the service serves logins again. The clients log in rarely.
    private func probeLogins() async {
        await begin(every: Self.loginPause) { await self.logIn($0) }
    }

    /// Begins an operation after each pause, without waiting for earlier ones, until the clients should finish.
    ///
    /// - Parameter operation: its argument is the number of an account.
    private func begin(every pause: Duration, _ operation: @escaping @Loop (Int) async -> Void) async {
        var generator = SeededGenerator(seed: seed)
        await withDiscardingTaskGroup { group in
            while !isStopping {
                let account = Int.random(in: accounts.indices, using: &generator)
                group.addTask { await operation(account) }
                try? await Loop.sleep(for: pause)
            }
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

    /// Returns a number that no other item of the run has.
    func nextNumber() -> Int {
        lastNumber += 1
        return lastNumber
    }

    /// Adds an item to the ledger.
    ///
    /// - Returns: its index.
    func add(_ item: Item) -> Int {
        marks.insert(item.mark)
        items.append(item)
        itemsByMark[item.mark] = items.count - 1
        return items.count - 1
    }
}
