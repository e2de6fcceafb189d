import ChaosKit
import Contracts
import Curl
import Postgres
import Reactor

/// Reads the effects of the clients' commands from all places that have them.
@Loop struct EffectReader {
    private static let posts = Statement(
        "SELECT content, id::text FROM posts WHERE starts_with(content, $1)")
    private static let documents = Statement(
        "SELECT content, count(*)::bigint FROM documents WHERE starts_with(content, $1) AND NOT is_deleted GROUP BY 1")
    private static let pictures = Statement("SELECT width || 'x' || height, id::text FROM media")
    private static let projection = Statement("SELECT id::text FROM media WHERE url IS NOT NULL AND NOT is_deleted")
    private static let descriptions = Statement("SELECT id::text, coalesce(description, '') FROM media")
    private static let copiedDescriptions = Statement(
        "SELECT id::text, coalesce(description, '') FROM media WHERE url IS NOT NULL AND NOT is_deleted")
    private static let accounts = Statement("SELECT username, id::text FROM accounts WHERE starts_with(username, $1)")
    private static let allPosts = Statement("SELECT id::text FROM posts")
    private static let allDocuments = Statement("SELECT id::text FROM documents WHERE NOT is_deleted")
    private static let allPictures = Statement("SELECT id::text FROM media")
    private static let allAccounts = Statement("SELECT id::text FROM accounts")
    private static let outbox = Statement("SELECT count(*)::bigint FROM outbox")

    let databases: Databases
    let events: EventCounter
    let mediaHost: MediaHost

    /// Returns the effects of all items whose texts and names begin with `prefix`.
    func read(prefix: String) async throws -> Effects {
        var effects = Effects()
        try await readRows(Self.posts, prefix, of: .post, into: .posts, &effects)
        try await readRows(Self.accounts, prefix, of: .identity, into: .accounts, &effects)
        try await readRows(Self.pictures, nil, of: .media, into: .pictures, &effects)
        for row in try await databases.rows(Self.documents, prefix, of: .search) {
            let (content, count) = try row.decode((String, Int).self)
            effects.counts[.index, default: [:]][content] = count
        }
        effects.descriptions = [
            .pictures: try await texts(Self.descriptions, of: .media),
            .projection: try await texts(Self.copiedDescriptions, of: .post),
        ]
        effects.counts[.projection] = try await ids(Self.projection, of: .post)
        effects.counts[.assets] = Dictionary(try await mediaHost.assets().map { ($0, 1) }, uniquingKeysWith: +)
        effects.counts[.creationEvents] = events.counts(of: "post.created", "media.uploaded", "account.registered")
        effects.counts[.deletionEvents] = events.counts(of: "post.deleted", "media.deleted")
        effects.counts[.updateEvents] = events.counts(of: "media.updated")
        effects.all[.posts] = Set(try await ids(Self.allPosts, of: .post).keys)
        effects.all[.index] = Set(try await ids(Self.allDocuments, of: .search).keys)
        effects.all[.pictures] = Set(try await ids(Self.allPictures, of: .media).keys)
        effects.all[.accounts] = Set(try await ids(Self.allAccounts, of: .identity).keys)
        for place in [Effects.Place.projection, .assets] {
            effects.all[place] = Set(effects.counts[place]?.keys ?? [:].keys)
        }
        return effects
    }

    /// Returns the number of events that are not published yet, by service.
    func outboxes() async throws -> [ServiceName: Int] {
        try await databases.numbers(Self.outbox, of: ServiceName.allCases)
    }

    /// Reads rows of a mark and an id.
    private func readRows(
        _ statement: Statement, _ prefix: String?, of service: ServiceName, into place: Effects.Place,
        _ effects: inout Effects
    ) async throws {
        let rows =
            if let prefix { try await databases.rows(statement, prefix, of: service) } else {
                try await databases.rows(statement, of: service)
            }
        for row in rows {
            let (mark, id) = try row.decode((String, String).self)
            effects.counts[place, default: [:]][mark, default: 0] += 1
            effects.ids[mark] = id
        }
    }

    /// Returns the texts of rows with an id and a text.
    private func texts(_ statement: Statement, of service: ServiceName) async throws -> [String: String] {
        var texts: [String: String] = [:]
        for row in try await databases.rows(statement, of: service) {
            let (id, text) = try row.decode((String, String).self)
            texts[id] = text
        }
        return texts
    }

    private func ids(_ statement: Statement, of service: ServiceName) async throws -> [String: Int] {
        var ids: [String: Int] = [:]
        for row in try await databases.rows(statement, of: service) { ids[try row.get(0), default: 0] += 1 }
        return ids
    }
}
