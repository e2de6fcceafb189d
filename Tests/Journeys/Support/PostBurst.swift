import Contracts
import Reactor
import TestSupport
import Testing

/// Some posts that are created at the same time by one account.
@Loop final class PostBurst {
    private static let size = 6

    private let client: APIClient
    private let mark = "burst-\(randomWord(12))"
    /// The status of each response so far, by the content of its post.
    private(set) var statuses: [String: Int] = [:]

    init() async throws {
        client = try await APIClient.registered()
    }

    var contents: Set<String> { Set((0..<Self.size).map { "\(mark) \($0)" }) }

    /// The id of each request.
    var requestIDs: [String] { (0..<Self.size).map { "\(mark)-\($0)" } }

    /// Creates the posts while the body runs, and waits for all responses.
    func send(during body: @Loop () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, requestID) in requestIDs.enumerated() {
                group.addTask { try await self.create("\(self.mark) \(number)", requestID) }
            }
            try await body()
            try await group.waitForAll()
        }
    }

    private func create(_ content: String, _ requestID: String) async throws {
        let body: JSON = ["content": .string(content)]
        statuses[content] = try await client.send("POST", "/v1/posts", json: body, requestID: requestID).status
    }

    /// Returns how often each post is stored.
    func rows() async throws -> [String: Int] {
        try await ServiceDatabase.contentCounts("post", "posts", startingWith: mark)
    }

    /// Returns how often each post is in the search index.
    func documents() async throws -> [String: Int] {
        try await ServiceDatabase.contentCounts("search", "documents", startingWith: mark)
    }

    /// Checks that each post got a 2xx, and is stored and indexed once.
    func expectPromisesKept() async throws {
        #expect(statuses.count == Self.size)
        #expect(statuses.values.allSatisfy { [201, 202].contains($0) }, "\(statuses)")
        let once = Dictionary(uniqueKeysWithValues: contents.map { ($0, 1) })
        #expect(try await rows() == once)
        #expect(try await eventually(within: .seconds(20)) { try await documents() == once })
    }
}
