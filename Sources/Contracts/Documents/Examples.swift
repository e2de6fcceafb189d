internal import FoundationEssentials

// The example values in the OpenAPI document and in asyncapi.yaml: the account `ada`, and its post with a picture.

extension UUID {
    static let example = UUID(octets: [
        0x01, 0x90, 0xA0, 0xB0, 0x12, 0x34, 0x7A, 0xBC, 0x8D, 0xEF, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB,
    ])
}

extension Timestamp {
    static let example = Timestamp(milliseconds: 1_738_314_300_123)
}

extension EntityRequest {
    static let example = EntityRequest(id: .example)
}

extension DeleteRequest {
    static let example = DeleteRequest(id: .example)
}

extension ReceiptRequest {
    static let example = ReceiptRequest(id: .example, acceptedAt: .example)
}

extension ListRequest {
    static let example = ListRequest(limit: 10, page: 1)
}

extension RefreshToken {
    static let example = RefreshToken(refreshToken: "q1Q2w3E4r5T6y7U8i9O0pAsDfGhJkLzXcVbNm_-1234")
}

extension Account {
    static let example = Account(id: .example, username: "ada", email: "ada@example.org", createdAt: .example)
}

extension Session {
    static let example = Session(
        account: .example, accessToken: "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl",
        refreshToken: RefreshToken.example.refreshToken, expiresIn: 900)
}

extension Author {
    static let example = Author(id: .example, username: "ada")
}

extension Media {
    static let example = Media(
        id: .example, url: "https://res.example.org/0190a0b0-1234-7abc-8def-0123456789ab.png", contentType: "image/png",
        bytes: 2048, width: 640, height: 480, createdAt: .example, description: exampleDescription)
    static let exampleDescription = "A rabbit in front of its burrow"
}

extension Post {
    static let example = Post(
        id: .example, author: .example, content: "Hello, burrow",
        media: [PostMedia(id: .example, url: Media.example.url, description: Media.exampleDescription)],
        createdAt: .example)
}

extension SearchHit {
    static let example = SearchHit(
        id: .example, author: .example, content: "Hello, burrow", createdAt: .example, score: 0.5,
        highlight: "Hello, <mark>burrow</mark>")
}

extension Page {
    static func example(_ item: Item) -> Page {
        Page(items: [item], limit: 10, number: Position(page: 1, total: 1))
    }
}

extension Receipt {
    static func example(_ body: some SchemaCodable) -> Receipt {
        Receipt(
            id: .example, status: .done, result: CommandResult(status: 201, body: body.json ?? .null))
    }

    /// The receipt of a command that no worker has carried out yet.
    package static let acceptedExample = Receipt(id: .example, status: .accepted)
}
