import Contracts
import LocalStack
import Postgres
import Reactor
import TestSupport
import Testing

extension LoadGenerator {
    /// Checks that nothing that got a 2xx was lost and that no command was carried out twice. Call this when all
    /// services are available again.
    func expectPromisesKept() async throws {
        try await expectPosts()
        try await expectMedia()
        #expect(!registeredAccounts.isEmpty)
        for account in registeredAccounts {
            let login = try await client.post("/v1/auth/login", account.credentials)
            #expect(login.status == 200, "\(account.username) was registered, but its login got \(login.status)")
        }
    }

    private func expectPosts() async throws {
        #expect(!posts.isEmpty)
        let promised = Set(posts.keys).union(acceptedPosts)
        let isKept = try await eventually(within: .seconds(20)) {
            try await Set(ServiceDatabase.contentCounts("post", "posts", startingWith: mark).keys)
                .isSuperset(of: promised)
        }
        let stored = try await ServiceDatabase.contentCounts("post", "posts", startingWith: mark)
        #expect(isKept, "lost posts: \(promised.subtracting(stored.keys))")
        #expect(stored.filter { $0.value != 1 }.isEmpty, "a post was created twice")
        for (content, id) in posts {
            let read = try await client.signedIn(as: accounts[0]).get("/v1/posts/\(id)")
            #expect(read.status == 200, "post \(id) was created, but reading it got \(read.status)")
            #expect(try read.json["content"]?.string == content)
            // Without the pause, these reads would exceed the rate limit of 100 a second.
            try await Task.sleep(for: .milliseconds(5))
        }
        let isIndexed = try await eventually(within: .seconds(20)) {
            try await ServiceDatabase.contentCounts("search", "documents", startingWith: mark) == stored
        }
        #expect(isIndexed, "the search index differs from the posts")
    }

    private func expectMedia() async throws {
        #expect(!media.isEmpty)
        let (owner, promised) = (accounts[3], media.count + acceptedMediaCount)
        var ids: Set<String> = []
        let isKept = try await eventually(within: .seconds(20)) {
            ids = []
            var cursor: String?
            repeat {
                let path = "/v1/media?limit=100" + (cursor.map { "&cursor=\($0)" } ?? "")
                let page = try await client.signedIn(as: owner).get(path).expect(200)
                ids.formUnion(page.ids("media"))
                cursor = page["nextCursor"]?.string
            } while cursor != nil
            return ids.count >= promised && ids.isSuperset(of: media)
        }
        #expect(isKept, "lost media: \(Set(media).subtracting(ids)), \(ids.count) of \(promised)")
        #expect(ids.count <= uploadCount)
        let assets = try await Set(MediaHostClient().assets())
        #expect(assets.isSuperset(of: ids), "pictures are missing at the media host")
    }

    /// Checks that all calls of a phase got a 2xx, except calls to `service`, and that the phase has calls to every
    /// other service.
    func expectServed(_ phase: String, except service: String?, sourceLocation: SourceLocation = #_sourceLocation) {
        let others = calls.filter { $0.phase == phase && $0.service != service }
        for call in others where !(200..<300).contains(call.status) {
            Issue.record("\(call.service) \(call.call): \(call.status), \(phase)", sourceLocation: sourceLocation)
        }
        let called = Set(others.map(\.service))
        #expect(
            called.isSuperset(of: Set(Stack.workers).subtracting([service].compactMap(\.self))),
            "\(phase): only \(called) were called", sourceLocation: sourceLocation)
    }
}
