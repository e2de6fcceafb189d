import Contracts
import Foundation
import Reactor
import TestSupport
import Testing

/// Clients that read and write in a loop, and remember all that they asked for and all that they were promised.
@Loop final class Crowd {
    /// One call's end.
    struct Entry: Sendable {
        let phase: String
        let service: String
        let call: String
        /// 0 where no answer came: the connection was refused or broke.
        let status: Int
    }

    let mark = "crowd-\(Fresh.word(12))"
    /// What is being done to Warren, which each call is noted with as it begins.
    var phase = "calm"
    private(set) var entries: [Entry] = []
    /// Posts that were answered 201: their ids by their content.
    private(set) var posts: [String: String] = [:]
    /// Contents of posts that were answered 202.
    private(set) var acceptedPosts: Set<String> = []
    /// Ids of media that were answered 201.
    private(set) var media: [String] = []
    private(set) var acceptedMediaCount = 0
    private(set) var uploadCount = 0
    /// Accounts that were answered 201.
    private(set) var accounts: [Person] = []
    let people: [Person]
    let client: Client
    private var isOver = false
    private var number = 0

    /// Registers the people it is made of.
    init() async throws {
        client = try Client()
        var people: [Person] = []
        for _ in 0..<4 { people.append(try await Person.register(client, "crowd")) }
        self.people = people
    }

    /// Has the crowd at work for as long as the body runs, and a second longer.
    func work(_ body: @Loop () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for person in people[..<2] { group.addTask { await self.loop { await self.write(by: person) } } }
            group.addTask { await self.loop { await self.read(by: self.people[2]) } }
            group.addTask { await self.loop { await self.search(by: self.people[2]) } }
            group.addTask { await self.loop { await self.upload(by: self.people[3]) } }
            group.addTask { await self.loop { await self.register() } }
            do {
                try await body()
                try await Task.sleep(for: .seconds(1))
            } catch {
                isOver = true
                throw error
            }
            isOver = true
            try await group.waitForAll()
        }
    }

    private func loop(_ call: () async -> Void) async {
        while !isOver {
            await call()
            try? await Task.sleep(for: .milliseconds(40))
        }
    }

    private func note(_ service: String, _ call: String, _ body: () async throws -> Answer) async -> Answer? {
        let began = phase
        let answer = try? await body()
        entries.append(Entry(phase: began, service: service, call: call, status: answer?.status ?? 0))
        return answer
    }

    private func write(by person: Person) async {
        number += 1
        let content = "\(mark) \(number)"
        let answer = await note("post", "create") { try await client.by(person).write(content) }
        switch answer?.status {
        case 201: posts[content] = (try? answer?.json["id"]?.string) ?? ""
        case 202: acceptedPosts.insert(content)
        default: break
        }
    }

    private func read(by person: Person) async {
        _ = await note("post", "list") { try await client.by(person).get("/v1/posts") }
        guard let id = posts.values.randomElement() else { return }
        _ = await note("post", "get") { try await client.by(person).get("/v1/posts/\(id)") }
    }

    private func search(by person: Person) async {
        _ = await note("search", "search") { try await client.by(person).search(mark) }
    }

    private func upload(by person: Person) async {
        uploadCount += 1
        let answer = await note("media", "upload") { try await client.by(person).upload(Picture.png()) }
        switch answer?.status {
        case 201: media.append((try? answer?.json["id"]?.string) ?? "")
        case 202: acceptedMediaCount += 1
        default: break
        }
        _ = await note("media", "list") { try await client.by(person).get("/v1/media?limit=5") }
    }

    private func register() async {
        let (username, password) = ("crowd-\(Fresh.word(12))", Fresh.word(20))
        let answer = await note("identity", "register") {
            try await client.post("/v1/auth/register", Person.registration(username, password))
        }
        guard let answer, answer.status == 201, let session = try? answer.json,
            let person = try? Person(username: username, password: password, session: session)
        else { return }
        accounts.append(person)
    }
}
