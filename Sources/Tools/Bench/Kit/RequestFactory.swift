internal import Contracts
internal import TestData

/// An account of the bench, with an access token.
package struct BenchAccount: Sendable, Hashable {
    package let email: String
    package let password: String
    package var token: String

    package init(email: String, password: String, token: String) {
        (self.email, self.password, self.token) = (email, password, token)
    }
}

/// Makes the requests of the cases. The accounts take turns, so that no limit per account is reached.
package struct RequestFactory: Sendable {
    /// The length of a list whose repetition does not change the result.
    private static let shortList = 5_000
    /// The posts and searches that are repeated in the warm cases.
    private static let warmPosts = 1_000
    private static let warmSearches = 200
    /// The case `mixed` has a list of this many blocks of 100 requests, each with another search.
    private static let mixedBlocks = 600
    private static let pageSize = 20

    private let host: String
    private let accounts: [BenchAccount]
    private let posts: SeedPosts
    private let words: WordList
    private let dataSet: DataSet
    /// The length of the lists that must not repeat.
    private let longList: Int

    /// - Parameters:
    ///   - host: the value of the field `Host`.
    ///   - accounts: at least one account.
    ///   - seconds: the duration of a measurement. The lists of the cases without caches are long enough for 10,000
    ///     requests per second, but have at most 60,000 requests.
    package init(
        host: String, accounts: [BenchAccount], posts: SeedPosts, words: WordList, dataSet: DataSet, seconds: Int
    ) {
        (self.host, self.accounts, self.posts, self.words, self.dataSet) = (host, accounts, posts, words, dataSet)
        longList = min(60_000, 10_000 * seconds)
    }

    /// Returns the requests of a case.
    package func requests(of work: BenchCase) -> RequestList {
        var generator = SeededGenerator(seed: 3)
        var list = RequestList(host: host)
        switch work {
        case .getPost:
            let numbers = warmPosts(&generator)
            for index in 0..<Self.shortList { get("/v1/posts/\(numbers[index % numbers.count])", &list) }
        case .getPostCold:
            for number in differentPosts(longList, &generator) { get("/v1/posts/\(posts.id(number).text)", &list) }
        case .firstPage:
            for _ in 0..<Self.shortList { get(firstPage, &list) }
        case .deepPage:
            for number in differentPosts(longList, &generator) {
                get("/v1/posts?limit=\(Self.pageSize)&cursor=\(posts.cursor(after: number))", &list)
            }
        case .createPost:
            for _ in 0..<Self.shortList { create(&list, &generator) }
        case .login:
            for account in accounts {
                let body: JSON = ["email": .string(account.email), "password": .string(account.password)]
                list.add("POST", "/v1/auth/login", token: nil, json: body)
            }
        case .upload:
            let form = uploadForm()
            // Each request has 1 MiB, and wrk keeps all of them in memory.
            for account in accounts.prefix(16) {
                list.add("POST", "/v1/media", token: account.token, type: form.type, body: form.body)
            }
        case .search:
            let searches = words.searches(Self.warmSearches, using: &generator)
            for index in 0..<Self.shortList { search(searches[index % searches.count], &list) }
        case .searchUncached:
            for text in words.searches(longList, using: &generator) { search(text, &list) }
        case .mixed:
            mix(&list, &generator)
        }
        return list
    }

    /// Adds 100 requests of the mix at a time, shuffled.
    private func mix(_ list: inout RequestList, _ generator: inout SeededGenerator) {
        let numbers = warmPosts(&generator)
        let searches = words.searches(Self.mixedBlocks, using: &generator)
        for block in 0..<Self.mixedBlocks {
            for place in (0..<100).shuffled(using: &generator) {
                switch place {
                case 0..<70: get("/v1/posts/\(numbers[(block * 70 + place) % numbers.count])", &list)
                case 70..<90: get(firstPage, &list)
                case 90..<99: create(&list, &generator)
                default: search(searches[block], &list)
                }
            }
        }
    }

    private var firstPage: String { "/v1/posts?limit=\(Self.pageSize)" }

    private func token(_ list: RequestList) -> String { accounts[list.count % accounts.count].token }

    private func get(_ path: String, _ list: inout RequestList) {
        list.add("GET", path, token: token(list))
    }

    private func search(_ text: String, _ list: inout RequestList) {
        get("/v1/search/posts?query=\(text.split(separator: " ").joined(separator: "%20"))", &list)
    }

    private func create(_ list: inout RequestList, _ generator: inout SeededGenerator) {
        list.add(
            "POST", "/v1/posts", token: token(list), json: ["content": .string(words.text(using: &generator))])
    }

    private func warmPosts(_ generator: inout SeededGenerator) -> [String] {
        differentPosts(Self.warmPosts, &generator).map { posts.id($0).text }
    }

    /// Returns the numbers of posts of the data set that all differ, in random order.
    private func differentPosts(_ count: Int, _ generator: inout SeededGenerator) -> [Int] {
        guard count < dataSet.posts / 2 else { return (0..<dataSet.posts).shuffled(using: &generator) }
        var numbers: Set<Int> = []
        var list: [Int] = []
        while list.count < count {
            let number = Int.random(in: 0..<dataSet.posts, using: &generator)
            if numbers.insert(number).inserted { list.append(number) }
        }
        return list
    }

    private func uploadForm() -> (type: String, body: [UInt8]) {
        let boundary = "warren-bench-boundary-5d41402abc4b2a76"
        let head = """
            --\(boundary)\r\nContent-Disposition: form-data; name="file"; filename="picture.png"\r\n\
            Content-Type: image/png\r\n\r\n
            """
        return (
            "multipart/form-data; boundary=\(boundary)",
            Array(head.utf8) + LargePicture.png() + Array("\r\n--\(boundary)--\r\n".utf8)
        )
    }
}
