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

    /// Carries out one operation on pictures.
    func operateMedia(_ generator: inout SeededGenerator) async {
        let account = Int.random(in: accounts.indices, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<5: await upload(account, &generator)
        case 5..<7: await delete(.picture, &generator)
        default: await listMedia(account)
        }
    }

    // MARK: Commands

    private func createPost(_ account: Int, _ generator: inout SeededGenerator) async {
        let number = nextNumber()
        let mark = "\(prefix) post \(number)"
        let index = add(Item(.post, mark: mark, owner: account))
        let command = Command(
            item: index, part: .creation, account: account,
            request: .init(
                .post, "POST", "/v1/posts", json: ["content": .string(mark)], token: accounts[account].token,
                key: "\(prefix)-post-\(number)"))
        await send(command, &generator)
        // Half of the posts are read at once, so that the cache has them when they are deleted.
        if items[index].creation == .done, Bool.random(using: &generator) { await read(index, account) }
    }

    private func upload(_ account: Int, _ generator: inout SeededGenerator) async {
        await send(newUpload(account), &generator)
    }

    /// Makes a command that uploads a new picture.
    func newUpload(_ account: Int) -> Command {
        let number = nextNumber()
        // No other picture has this size, so the table of pictures shows which item a row is.
        let (width, height) = (1 + number % 1_024, 1 + number / 1_024)
        let index = add(Item(.picture, mark: "\(width)x\(height)", owner: account))
        let part = HTTPRequest.Part(
            name: "file", fileName: "picture.png", contentType: "image/png",
            bytes: PNGFile.make(width: width, height: height) { 0x5A })
        return Command(
            item: index, part: .creation, account: account,
            request: .init(
                .media, "POST", "/v1/media", body: .multipart([part]), token: accounts[account].token,
                key: "\(prefix)-picture-\(number)"))
    }

    /// Deletes an item of this episode that is known to exist.
    private func delete(_ kind: Item.Kind, _ generator: inout SeededGenerator) async {
        guard let position = confirmed[kind]?.indices.randomElement(using: &generator),
            let index = confirmed[kind]?.remove(at: position), let id = items[index].id
        else { return }
        let (service, path): (ServiceName, String) = kind == .post ? (.post, "/v1/posts") : (.media, "/v1/media")
        let account = items[index].owner
        // The caches then have the post, and must not return it after its deletion.
        if kind == .post { await read(index, account) }
        items[index].deletion = .unknown
        let command = Command(
            item: index, part: .deletion, account: account,
            request: .init(
                service, "DELETE", "\(path)/\(id)", token: accounts[account].token, key: "delete-\(id)"))
        await send(command, &generator)
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
        items[index].creation = outcome(of: response)
        if items[index].creation == .done { commandCount += 1 }
        guard items[index].creation == .done, let body = response?.body else { return }
        items[index].id = (try? JSON.parse(body))?["account"]?["id"]?.string
    }

    // MARK: Queries

    private func logIn(_ account: Int) async {
        let account = accounts[account]
        _ = await http.send(
            .init(
                .identity, "POST", "/v1/auth/login",
                json: ["email": .string(account.email), "password": .string(account.password)]))
    }

    /// Reads a post that must exist.
    private func read(_ account: Int, _ generator: inout SeededGenerator) async {
        guard let index = confirmed[.post]?.randomElement(using: &generator) else { return }
        await read(index, account)
    }

    private func read(_ index: Int, _ account: Int) async {
        guard let id = items[index].id else { return }
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
    }

    /// Reads a post that must be gone.
    private func readDeleted(_ account: Int, _ generator: inout SeededGenerator) async {
        guard let id = gonePosts.randomElement(using: &generator) else { return }
        if await get(.post, "/v1/posts/\(id)", account)?.status == 200, !cachesReturn {
            findings.append("GET of post \(id) was 200, although its deletion was confirmed before")
        }
    }

    /// The posts that were deleted some seconds ago.
    private var gonePosts: [String] {
        deletedPosts.removeAll { .now - $0.at > Self.oldest }
        return deletedPosts.filter { .now - $0.at > Self.staleness }.map(\.id)
    }

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

    private func listMedia(_ account: Int) async { _ = await get(.media, "/v1/media?limit=20", account) }

    private func search(_ account: Int, _ generator: inout SeededGenerator) async {
        let number = Int.random(in: 0...9_999, using: &generator)
        _ = await get(.search, "/v1/search/posts?query=\(prefix)%20\(number)", account)
    }

    func get(_ service: ServiceName, _ path: String, _ account: Int) async -> HTTPResponse? {
        await http.send(.init(service, "GET", path, token: accounts[account].token))
    }
}
