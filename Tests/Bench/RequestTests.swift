import BenchKit
import Contracts
import ImageHeaders
import TestData
import Testing

@Suite("Requests of the bench") struct RequestTests {
    private static let words = WordList(count: 500)
    private static let posts = SeedPosts(newest: Timestamp(milliseconds: 1_700_000_000_000), words: words)

    private func factory(posts: Int = 3_000) -> RequestFactory {
        RequestFactory(
            host: "127.0.0.1:8080",
            accounts: (0..<3).map {
                BenchAccount(email: "a\($0)@example.org", password: "p\($0)", token: "token-\($0)")
            },
            posts: Self.posts, words: Self.words, dataSet: DataSet(name: "small", posts: posts), seconds: 1)
    }

    /// Splits a list into its requests, as `requests.lua` does.
    private func split(_ list: RequestList) throws -> [[UInt8]] {
        var requests: [[UInt8]] = []
        var rest = list.bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let size = try #require(Int(String(decoding: rest[..<end], as: UTF8.self)))
            requests.append(Array(rest[(end + 1)..<(end + 1 + size)]))
            rest = rest[(end + 1 + size)...]
        }
        return requests
    }

    @Test(
        "every request of every case is complete: one head, and a body of the stated length",
        arguments: BenchCase.allCases)
    func complete(work: BenchCase) throws {
        let list = factory().requests(of: work)
        let requests = try split(list)
        #expect(requests.count == list.count && !requests.isEmpty)
        for request in requests.prefix(200) {
            let text = String(decoding: request, as: UTF8.self)
            let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            let fields = parts[0].split(separator: "\r\n").dropFirst()
            #expect(fields.contains("Host: 127.0.0.1:8080"))
            let length = fields.first { $0.hasPrefix("Content-Length: ") }.flatMap { Int($0.dropFirst(16)) } ?? 0
            #expect(request.suffix(length).count == length && request.count == parts[0].utf8.count + 4 + length)
            #expect(work == .login || fields.contains { $0.hasPrefix("Authorization: Bearer token-") })
        }
    }

    @Test("the requests of a case take turns among all accounts")
    func turns() throws {
        let text = try split(factory().requests(of: .getPost)).prefix(3).map { String(decoding: $0, as: UTF8.self) }
        for number in 0..<3 { #expect(text[number].contains("Bearer token-\(number)\r\n")) }
    }

    @Test(
        "the cases that are not cached send each request once",
        arguments: [BenchCase.getPostCold, .deepPage, .searchUncached])
    func different(work: BenchCase) throws {
        let targets = try split(factory().requests(of: work)).map {
            String(decoding: $0.prefix { $0 != 13 }, as: UTF8.self)
        }
        #expect(Set(targets).count == targets.count)
        #expect(targets.count >= 2_000)
    }

    @Test("the mix has 90 % reads, 9 % creations and 1 % searches")
    func mix() throws {
        let lines = try split(factory().requests(of: .mixed)).map {
            String(decoding: $0.prefix { $0 != 13 }, as: UTF8.self)
        }
        #expect(lines.count { $0.hasPrefix("GET /v1/posts/") } == lines.count * 70 / 100)
        #expect(lines.count { $0.hasPrefix("GET /v1/posts?") } == lines.count * 20 / 100)
        #expect(lines.count { $0.hasPrefix("POST /v1/posts ") } == lines.count * 9 / 100)
        let searches = lines.filter { $0.hasPrefix("GET /v1/search/posts?query=") }
        #expect(searches.count == lines.count / 100 && Set(searches).count == searches.count)
    }

    @Test("seeded posts have different ids, which are those of the requests, and become older with their number")
    func posts() throws {
        let ids = (0..<2_000).map { Self.posts.id($0) }
        #expect(Set(ids).count == ids.count)
        #expect(Self.posts.time(1).since(Self.posts.time(0)) == .seconds(-30))
        let columns = Self.posts.row(7).split(separator: "\t")
        #expect(columns.count == SeedPosts.columns.split(separator: ",").count)
        #expect(columns[0] == Self.posts.id(7).text && Self.posts.row(7) == Self.posts.row(7))
        let requested = try split(factory(posts: 10).requests(of: .getPost)).map { String(decoding: $0, as: UTF8.self) }
        let known = Set((0..<10).map { Self.posts.id($0).text })
        #expect(requested.allSatisfy { text in known.contains { text.hasPrefix("GET /v1/posts/\($0) HTTP/1.1\r\n") } })
    }

    @Test("the most frequent word is in about half of all posts, and the frequency falls with the rank")
    func frequencies() {
        let words = WordList()
        #expect(words.words.count == 10_000 && Set(words.words).count == 10_000)
        var generator = SeededGenerator(seed: 9)
        let texts = (0..<2_000).map { _ in Set(words.text(using: &generator).split(separator: " ").map(String.init)) }
        let shares = [1, 10, 100].map { rank in
            Double(texts.count { $0.contains(words.words[rank - 1]) }) / Double(texts.count)
        }
        #expect((0.4...0.6).contains(shares[0]), "\(shares)")
        #expect((0.1...0.25).contains(shares[1]), "\(shares)")
        #expect((0.01...0.05).contains(shares[2]), "\(shares)")
    }

    @Test("the uploaded picture is a PNG of almost 1 MiB that Warren accepts")
    func picture() throws {
        let picture = LargePicture.png()
        #expect((1_000_000...1_048_576).contains(picture.count))
        let header = try ImageHeader(picture)
        #expect(header.format == .png && header.width == 590 && header.height == 590)
    }
}
