import ChaosKit
import Contracts
import Curl
import Reactor
import TestData

extension Clients {
    /// The time within which a cache may still have a deleted post: about 2 s (`compose/README.md`, "Outages").
    static let staleness: Duration = .seconds(3)
    /// Posts that were deleted longer ago are not read again.
    private static let oldest: Duration = .seconds(20)

    /// One of so many deletions of a post has a wrong entity tag, and is refused.
    private static let refusedShare = 12

    /// Carries out one operation on accounts or posts that the generator chooses.
    func operate(_ generator: inout SeededGenerator) async {
        let account = Int.random(in: accounts.indices, using: &generator)
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<52: await createPost(account, &generator)
        case 52..<68: await delete(.post, &generator)
        case 68: await registerAccount()
        case 69: await logIn(account)
        case 70..<78: await read(account, &generator)
        case 78..<85: await readDeleted(account, &generator)
        case 85..<89: await list(account)
        default: await search(account, &generator)
        }
    }

    // MARK: Commands

    /// Creates a post. One in ten shows a picture of its author, and one in 25 is sent without waiting for its result.
    private func createPost(_ account: Int, _ generator: inout SeededGenerator) async {
        let number = nextNumber()
        var item = Item(.post, mark: "\(prefix) post \(number)", owner: account)
        var body: JSON = ["content": .string(item.mark)]
        if Int.random(in: 0..<10, using: &generator) == 0, let picture = takePicture(of: account, &generator) {
            item.pictures = [picture.mark]
            body = ["content": .string(item.mark), "mediaIds": [.string(picture.id)]]
        }
        let isAsynchronous = Int.random(in: 0..<25, using: &generator) == 0
        let index = add(item)
        let command = Command(
            item: index, part: .creation, account: account,
            request: .init(
                .post, "POST", "/v1/posts", json: body, token: accounts[account].token,
                key: "\(prefix)-post-\(number)", headers: isAsynchronous ? [("Prefer", "respond-async")] : [],
                wanted: isAsynchronous ? 202 : nil))
        await send(command, &generator)
        // Half of the posts are read at once, so that the cache has them when they are deleted.
        if items[index].creation == .done, Bool.random(using: &generator) { await read(index, account) }
    }

    /// Deletes an item of this episode that is known to exist.
    func delete(_ kind: Item.Kind, _ generator: inout SeededGenerator) async {
        guard let position = confirmed[kind]?.indices.randomElement(using: &generator),
            let index = confirmed[kind]?.remove(at: position), let id = items[index].id
        else { return }
        let (service, path): (ServiceName, String) = kind == .post ? (.post, "/v1/posts") : (.media, "/v1/media")
        let account = items[index].owner
        var headers: [(name: String, value: String)] = []
        if kind == .post {
            if Int.random(in: 0..<Self.refusedShare, using: &generator) == 0 { await deleteWrongly(id, account) }
            // The caches then have the post, and must not return it after its deletion.
            let tag = await read(index, account)
            // The representation of a post with a picture can change.
            if let tag, items[index].pictures.isEmpty, Bool.random(using: &generator) { headers = [("If-Match", tag)] }
            if Int.random(in: 0..<4, using: &generator) == 0,
                await hits(items[index].mark, isRecorded: true)?.contains(id) == true
            {
                foundPosts.append((id, items[index].mark))
            }
        }
        items[index].deletion = .unknown
        let command = Command(
            item: index, part: .deletion, account: account,
            request: .init(
                service, "DELETE", "\(path)/\(id)", token: accounts[account].token, key: "delete-\(id)",
                headers: headers))
        await send(command, &generator)
    }

    /// Tries to delete a post with the entity tag of another representation. The ledger shows that it stays.
    private func deleteWrongly(_ id: String, _ account: Int) async {
        _ = await http.send(
            .init(
                .post, "DELETE", "/v1/posts/\(id)", token: accounts[account].token,
                headers: [("If-Match", "\"another\"")], wanted: 412))
    }

    /// Registers an account. Registrations have no idempotency key, so they are never repeated.
    private func registerAccount() async {
        let name = "\(prefix)-new-\(nextNumber())"
        let index = add(Item(.account, mark: name, owner: 0))
        let response = await http.send(
            .init(
                .identity, "POST", "/v1/auth/register",
                json: [
                    "username": .string(name), "email": .string("\(name)@example.org"),
                    "password": .string("a long enough phrase \(name)"),
                ]))
        items[index].creation = Item.Outcome(status: response?.status)
        if items[index].creation == .done { commandCount += 1 }
        guard items[index].creation == .done, let body = response?.body else { return }
        items[index].id = (try? JSON.parse(body))?["account"]?["id"]?.string
    }

    // MARK: Queries

    /// Logs in, and logs out again. The refresh token must then be refused.
    func logIn(_ account: Int) async {
        let account = accounts[account]
        let response = await http.send(
            .init(
                .identity, "POST", "/v1/auth/login",
                json: ["email": .string(account.email), "password": .string(account.password)]))
        guard response?.status == 200, let body = response.flatMap({ try? JSON.parse($0.body) }),
            let token = body["refreshToken"]?.string
        else { return }
        let session: JSON = ["refreshToken": .string(token)]
        let logout = await http.send(.init(.identity, "POST", "/v1/auth/logout", json: session, token: account.token))
        guard logout?.status == 204 else { return }
        _ = await http.send(.init(.identity, "POST", "/v1/auth/refresh", json: session, wanted: 401))
    }

    /// Reads a post that must exist.
    private func read(_ account: Int, _ generator: inout SeededGenerator) async {
        guard let index = confirmed[.post]?.randomElement(using: &generator) else { return }
        await read(index, account)
    }

    /// Reads a post that must exist.
    ///
    /// - Returns: its entity tag.
    @discardableResult private func read(_ index: Int, _ account: Int) async -> String? {
        guard let id = items[index].id else { return nil }
        let response = await get(.post, "/v1/posts/\(id)", account)
        // Meanwhile another client may have deleted the post.
        if response?.status == 404, items[index].deletion == nil {
            findings.append("GET of post \(id) was 404, although its creation was confirmed")
        }
        if response?.status == 200, let body = response?.body,
            (try? JSON.parse(body))?["content"]?.string != items[index].mark
        {
            findings.append("GET of post \(id) returned another content")
        }
        return response?.status == 200 ? response?.header("ETag") : nil
    }

    /// Reads a post that must be gone.
    private func readDeleted(_ account: Int, _ generator: inout SeededGenerator) async {
        guard let id = gonePosts.randomElement(using: &generator) else { return }
        if await get(.post, "/v1/posts/\(id)", account)?.status == 200, !cachesReturn {
            findings.append("GET of post \(id) was 200, although its deletion was confirmed before")
        }
    }

    /// The posts that no cache may have any more. A post is invalidated before its deletion is confirmed, unless Redis
    /// or the connections to it have failed in this episode.
    private var gonePosts: [String] {
        deletedPosts.removeAll { .now - $0.at > Self.oldest }
        let staleness = hasRedisFault ? Self.staleness : .zero
        return deletedPosts.filter { .now - $0.at > staleness }.map(\.id)
    }

    private var hasRedisFault: Bool { runs.contains { $0.fault.targets.contains(.redis) && $0.hasBegun } }

    /// Whether Redis is back since a short time. The workers may not yet have sent the invalidations that failed.
    private var cachesReturn: Bool {
        runs.contains { run in
            guard run.fault.targets.contains(.redis), run.removalBegan != nil else { return false }
            return run.ended.map { .now < $0 + Self.staleness } ?? true
        }
    }

    private func list(_ account: Int) async {
        let gone = Set(gonePosts)
        guard let body = await get(.post, "/v1/posts?limit=20", account)?.body, let page = try? JSON.parse(body) else {
            return
        }
        for id in page["posts"]?.array?.compactMap({ $0["id"]?.string }) ?? [] where gone.contains(id) && !cachesReturn
        {
            findings.append("the list of posts has \(id), although its deletion was confirmed before")
        }
    }

    private func search(_ account: Int, _ generator: inout SeededGenerator) async {
        let number = Int.random(in: 0...9_999, using: &generator)
        _ = await get(.search, "/v1/search/posts?query=\(prefix)%20\(number)", account)
    }

    func get(
        _ service: ServiceName, _ path: String, _ account: Int, isRecorded: Bool = true
    ) async -> HTTPResponse? {
        await http.send(.init(service, "GET", path, token: accounts[account].token), isRecorded: isRecorded)
    }
}
