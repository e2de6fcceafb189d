import Contracts
import Postgres
import Reactor
import TestSupport
import Testing

extension Crowd {
    /// Wants every 2xx to have been kept and nothing to have been done twice, once things are calm again.
    func expectPromisesKept() async throws {
        try await expectPosts()
        try await expectMedia()
        #expect(!accounts.isEmpty)
        for person in accounts {
            let login = try await client.post("/v1/auth/login", person.credentials)
            #expect(login.status == 200, "\(person.username) was registered: \(login.status)")
        }
    }

    private func expectPosts() async throws {
        #expect(!posts.isEmpty)
        let promised = Set(posts.keys).union(acceptedPosts)
        let isKept = try await eventually(within: .seconds(20)) {
            try await Set(Database.contents("post", "posts", marked: mark).keys).isSuperset(of: promised)
        }
        let stored = try await Database.contents("post", "posts", marked: mark)
        #expect(isKept, "lost: \(promised.subtracting(stored.keys))")
        #expect(stored.filter { $0.value != 1 }.isEmpty, "a post was made twice")
        for (content, id) in posts {
            let read = try await client.by(people[0]).get("/v1/posts/\(id)")
            #expect(read.status == 200, "\(id) was created: \(read.status)")
            #expect(try read.json["content"]?.string == content)
            // A read for each is more than the limit of 100 a second.
            try await Task.sleep(for: .milliseconds(5))
        }
        let isIndexed = try await eventually(within: .seconds(20)) {
            try await Database.contents("search", "documents", marked: mark) == stored
        }
        #expect(isIndexed, "search has not what the post service has")
    }

    private func expectMedia() async throws {
        #expect(!media.isEmpty)
        let (owner, promised) = (people[3], media.count + acceptedMediaCount)
        var ids: Set<String> = []
        let isKept = try await eventually(within: .seconds(20)) {
            ids = []
            var cursor: String?
            repeat {
                let path = "/v1/media?limit=100" + (cursor.map { "&cursor=\($0)" } ?? "")
                let page = try await client.by(owner).get(path).expect(200)
                ids.formUnion(page.ids("media"))
                cursor = page["nextCursor"]?.string
            } while cursor != nil
            return ids.count >= promised && ids.isSuperset(of: media)
        }
        #expect(isKept, "lost: \(Set(media).subtracting(ids)), \(ids.count) of \(promised)")
        #expect(ids.count <= uploadCount)
        let assets = try await Set(MediaHost().assets())
        #expect(assets.isSuperset(of: ids), "pictures are missing")
    }

    /// Wants the calls of a phase to have been answered 2xx, save those of one service.
    func expectServed(_ phase: String, besides service: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let others = entries.filter { $0.phase == phase && $0.service != service }
        for entry in others where !(200..<300).contains(entry.status) {
            Issue.record("\(entry.service) \(entry.call): \(entry.status), \(phase)", sourceLocation: sourceLocation)
        }
        let served = Set(others.map(\.service))
        #expect(
            served.isSuperset(of: Set(Stack.workers).subtracting([service])), "\(phase): only \(served) were asked",
            sourceLocation: sourceLocation)
    }
}
