import Contracts
import FoundationEssentials
import Testing

@Suite("Bodies of replies")
struct ViewTests {
    private static let time = Timestamp(milliseconds: 1_738_314_300_123)

    private func id(_ number: Int) throws -> UUID {
        try #require(UUID(text: "0190a0b0-1234-7abc-8def-00000000000\(number)"))
    }

    private func text(_ value: some SchemaCodable) -> String {
        String(decoding: value.jsonBytes(), as: UTF8.self)
    }

    private func post() throws -> Post {
        Post(
            id: try id(1), author: Author(id: try id(2), username: "ann"), content: "\"Hi\"",
            media: [
                PostMedia(id: try id(3), url: nil),
                PostMedia(id: try id(4), url: "https://x.example/4", description: "Two"),
            ],
            createdAt: Self.time)
    }

    @Test("a post is encoded and decoded with its author and pictures")
    func aPost() throws {
        let wanted =
            #"{"id":"0190a0b0-1234-7abc-8def-000000000001","author":{"id":"0190a0b0-1234-7abc-8def-000000000002","username":"ann"},"#
            + #""content":"\"Hi\"","media":[{"id":"0190a0b0-1234-7abc-8def-000000000003","url":null,"description":null},"#
            + #"{"id":"0190a0b0-1234-7abc-8def-000000000004","url":"https://x.example/4","description":"Two"}],"createdAt":"2025-01-31T09:05:00.123Z"}"#
        #expect(text(try post()) == wanted)
        #expect(try Post.schema.decode(JSON.parse(post().jsonBytes())) == post())
    }

    @Test("a session is encoded and decoded with the token type Bearer")
    func session() throws {
        let account = Account(id: try id(1), username: "ann", email: "a@b.c", createdAt: Self.time)
        let session = Session(account: account, accessToken: "x", refreshToken: "y", expiresIn: 900)
        #expect(
            text(session)
                == #"{"account":{"id":"0190a0b0-1234-7abc-8def-000000000001","username":"ann","email":"a@b.c","createdAt":"2025-01-31T09:05:00.123Z"},"accessToken":"x","refreshToken":"y","tokenType":"Bearer","expiresIn":900}"#
        )
        #expect(try Session.schema.decode(JSON.parse(session.jsonBytes())) == session)
    }

    @Test("a numbered page is encoded and decoded with its number and the totals")
    func numbered() throws {
        let page = Page(items: [try post()], limit: 10, number: .init(page: 3, total: 21), nextCursor: "abc")
        let json = try JSON.parse(page.jsonBytes())
        #expect(json["posts"]?.array?.count == 1)
        #expect([json["page"], json["limit"], json["totalPosts"], json["totalPages"]] == [3, 10, 21, 3])
        #expect(json["nextCursor"] == "abc")
        #expect(try Post.pageSchema.decode(json) == page)
    }

    @Test("a page after a cursor has no number and no totals, and the nextCursor of the last page is null")
    func byCursor() throws {
        let page = Page<Post>(items: [], limit: 10, number: nil)
        #expect(text(page) == #"{"posts":[],"limit":10,"nextCursor":null}"#)
        #expect(try Post.pageSchema.decode(JSON.parse(page.jsonBytes())) == page)
    }

    @Test("the number of pages is the total divided by the limit, rounded up")
    func totalPages() throws {
        for (total, pages) in [(0, 0), (1, 1), (10, 1), (11, 2)] as [(Int, Int64)] {
            let page = Page<Post>(items: [], limit: 10, number: .init(page: 1, total: total))
            #expect(try JSON.parse(page.jsonBytes())["totalPages"]?.integer == pages)
        }
    }

    @Test("a picture and a page of pictures are encoded and decoded")
    func media() throws {
        let media = Media(
            id: try id(1), url: "https://x.example/1", contentType: "image/png", bytes: 5, width: 6, height: 7,
            createdAt: Self.time)
        #expect(
            text(media)
                == #"{"id":"0190a0b0-1234-7abc-8def-000000000001","url":"https://x.example/1","contentType":"image/png","bytes":5,"width":6,"height":7,"createdAt":"2025-01-31T09:05:00.123Z","description":null}"#
        )
        let page = Page(items: [media], limit: 1, number: .init(page: 1, total: 1))
        let json = try JSON.parse(page.jsonBytes())
        #expect(json["media"]?.array?.count == 1)
        #expect(try Media.pageSchema.decode(json) == page)
    }

    @Test("a picture without a description, which earlier versions sent, is decoded in views and in events")
    func withoutDescription() throws {
        let media: JSON = [
            "id": .string(try id(1).text), "url": "https://x.example/1", "contentType": "image/png", "bytes": 5,
            "width": 6, "height": 7, "createdAt": "2025-01-31T09:05:00.123Z", "ownerId": .string(try id(2).text),
        ]
        #expect(try Media.schema.decode(media).description == nil)
        #expect(try MediaUploaded.schema.decode(media).media.description == nil)
        let post: JSON = ["id": .string(try id(1).text), "url": nil]
        #expect(try PostMedia.schema.decode(post).description == nil)
    }

    @Test("a description is trimmed, and refused with more than 1,500 characters or U+0000")
    func descriptions() throws {
        #expect(try MediaDescription.parse(" \u{A0}\nA rabbit\t") == "A rabbit")
        #expect(try MediaDescription.parse(" \n") == nil)
        let longest = String(repeating: "🐇", count: 1500)
        #expect(try MediaDescription.parse(longest) == longest)
        for text in [longest + "x", "a\u{0}b"] {
            #expect(throws: Problem.self) { try MediaDescription.parse(text) }
        }
    }

    @Test("a description without visible characters is none")
    func blankDescriptions() throws {
        for text in ["", "\u{200B}", " \u{FEFF}\u{AD}\n", "\u{200D}\u{FE0F}"] {
            #expect(try MediaDescription.parse(text) == nil)
        }
        #expect(try MediaDescription.parse("\u{200B}A rabbit") == "\u{200B}A rabbit")
    }

    @Test("white space around an upload's description does not count to its length, and CR LF counts as one character")
    func descriptionLengths() throws {
        let longest = String(repeating: "x", count: 1500)
        #expect(try MediaDescription.parse(" \(longest)\r\n") == longest)
        let lines = String(repeating: "x\n", count: 749) + "xx"
        #expect(try MediaDescription.parse(lines.replacing("\n", with: "\r\n")) == lines)
        #expect(throws: Problem.self) { try MediaDescription.parse(" \(longest)x ") }
        #expect(MediaDescription.visible(" a\r\nb\n") == "a\nb")
    }

    @Test("a page of search hits has no cursor")
    func search() throws {
        let hit = SearchHit(
            id: try id(1), author: Author(id: try id(2), username: "ann"), content: "c", createdAt: Self.time,
            score: 0.5,
            highlight: "<b>c</b>")
        let page = Page(items: [hit], limit: 10, number: .init(page: 1, total: 1))
        let json = try JSON.parse(page.jsonBytes())
        #expect(json["posts"]?.array?.first?["score"] == 0.5)
        #expect(json["nextCursor"] == nil)
        #expect(json["totalIsExact"] == true)
        #expect(try SearchHit.pageSchema.decode(json) == page)
    }

    @Test("a page of search hits states whether its total is exact, and is exact if an earlier version wrote it")
    func exactness() throws {
        let page = Page<SearchHit>(items: [], limit: 10, number: .init(page: 1, total: 10_000, isExact: false))
        #expect(
            text(page)
                == #"{"posts":[],"page":1,"limit":10,"totalPosts":10000,"totalIsExact":false,"totalPages":1000}"#)
        #expect(try SearchHit.pageSchema.decode(JSON.parse(page.jsonBytes())) == page)
        let earlier = try JSON.parse(Array(#"{"posts":[],"page":1,"limit":10,"totalPosts":3,"totalPages":1}"#.utf8))
        #expect(try SearchHit.pageSchema.decode(earlier).number == .init(page: 1, total: 3, isExact: true))
    }

    @Test("a receipt has a result if the command is done, and none before")
    func receipt() throws {
        let waiting = Receipt(id: try id(1), status: .accepted)
        #expect(text(waiting) == #"{"id":"0190a0b0-1234-7abc-8def-000000000001","status":"accepted"}"#)
        let done = Receipt(id: try id(1), status: .done, result: .init(status: 201, body: ["id": "x"]))
        #expect(
            text(done)
                == #"{"id":"0190a0b0-1234-7abc-8def-000000000001","status":"done","result":{"status":201,"body":{"id":"x"}}}"#
        )
        #expect(try Receipt.schema.decode(JSON.parse(done.jsonBytes())) == done)
    }

    @Test("a page of the longest elements has at most 8 MiB")
    func largestPage() {
        // JSON needs six bytes for a control character. In a highlight, HTML needs six for a quotation mark.
        let content = String(repeating: "\u{1}", count: 5000)
        let author = Author(id: .v7(), username: String(repeating: "x", count: 64))
        let url = "https://" + String(repeating: "x", count: 2000)
        let posts = [Post](
            repeating: Post(
                id: .v7(), author: author, content: content,
                media: Array(repeating: PostMedia(id: .v7(), url: url), count: 10), createdAt: .now()), count: 100)
        let hits = [SearchHit](
            repeating: SearchHit(
                id: .v7(), author: author, content: content, createdAt: .now(), score: 0.5,
                highlight: String(repeating: "&quot;", count: 5000)), count: 100)
        let position = Page<Post>.Position(page: 1, total: 1_000_000)
        let largest = Page(items: posts, limit: 100, number: position).jsonBytes().count
        #expect(largest > Page<Post>.maximumBytes / 2 && largest <= Page<Post>.maximumBytes)
        let hitPosition = Page<SearchHit>.Position(page: 1, total: 1_000_000)
        #expect(Page(items: hits, limit: 100, number: hitPosition).jsonBytes().count <= Page<SearchHit>.maximumBytes)
    }
}
