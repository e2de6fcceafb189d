import ChaosKit
import Contracts
import Curl
import Reactor
import TestData

extension Clients {
    /// The time within which a cache may still have a deleted post (`compose/README.md`, "Outages").
    private static let staleness: Duration = .seconds(2)

    /// Carries out one operation on accounts or posts that the generator chooses.
    func operate(_ generator: inout SeededGenerator) async {
        let account = Int.random(in: accounts.indices, using: &generator)
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<52: await createPost(account, &generator)
        case 52..<69: await delete(.post, &generator)
        case 69: await registerAccount()
        case 70: await logIn(account)
        case 71..<81: await read(account, &generator)
        case 81..<83: await readDeleted(account, &generator)
        case 83..<89: await list(account)
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
    }

    private func upload(_ account: Int, _ generator: inout SeededGenerator) async {
        let number = nextNumber()
        // No other picture has this size, so the table of pictures shows which item a row is.
        let (width, height) = (1 + number % 1_024, 1 + number / 1_024)
        let index = add(Item(.picture, mark: "\(width)x\(height)", owner: account))
        let part = HTTPRequest.Part(
            name: "file", fileName: "picture.png", contentType: "image/png",
            bytes: PNGFile.make(width: width, height: height) { 0x5A })
        let command = Command(
            item: index, part: .creation, account: account,
            request: .init(
                .media, "POST", "/v1/media", body: .multipart([part]), token: accounts[account].token,
                key: "\(prefix)-picture-\(number)"))
        await send(command, &generator)
    }

    /// Deletes an item of this episode that is known to exist.
    private func delete(_ kind: Item.Kind, _ generator: inout SeededGenerator) async {
        let candidates = items.indices.filter {
            items[$0].kind == kind && items[$0].creation == .done && items[$0].deletion == nil && items[$0].id != nil
        }
        guard let index = candidates.randomElement(using: &generator), let id = items[index].id else { return }
        let (service, path): (ServiceName, String) = kind == .post ? (.post, "/v1/posts") : (.media, "/v1/media")
        let account = items[index].owner
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
        commandCount += 1
        let response = await http.send(
            .init(
                .identity, "POST", "/v1/auth/register",
                json: [
                    "username": .string(name), "email": .string("\(name)@example.org"),
                    "password": .string("a long enough phrase \(name)"),
                ]))
        items[index].creation = outcome(of: response)
        guard items[index].creation == .done, let body = response?.body else { return }
        items[index].id = (try? JSON.parse(body))?["account"]?["id"]?.string
    }

    func add(_ item: Item) -> Int {
        items.append(item)
        return items.count - 1
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
        let known = items.indices.filter {
            items[$0].kind == .post && items[$0].creation == .done && items[$0].deletion == nil && items[$0].id != nil
        }
        guard let index = known.randomElement(using: &generator), let id = items[index].id else { return }
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
        let gone = deletedPosts.filter { .now - $0.at > Self.staleness }
        guard let post = gone.randomElement(using: &generator) else { return }
        if await get(.post, "/v1/posts/\(post.id)", account)?.status == 200 {
            findings.append("GET of post \(post.id) was 200, although its deletion was confirmed before")
        }
    }

    private func list(_ account: Int) async { _ = await get(.post, "/v1/posts?limit=20", account) }

    private func listMedia(_ account: Int) async { _ = await get(.media, "/v1/media?limit=20", account) }

    private func search(_ account: Int, _ generator: inout SeededGenerator) async {
        let number = Int.random(in: 0...9_999, using: &generator)
        _ = await get(.search, "/v1/search/posts?query=\(prefix)%20\(number)", account)
    }

    func get(_ service: ServiceName, _ path: String, _ account: Int) async -> HTTPResponse? {
        await http.send(.init(service, "GET", path, token: accounts[account].token))
    }
}
