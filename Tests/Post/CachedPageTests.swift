import Contracts
import DatabaseSupport
import Reactor
import Testing

@testable import WorkerKit

@Suite("A page in the cache", .timeLimit(.minutes(2)))
struct CachedPageTests {
    @Test("is given to who asks for that page of that length, and to nobody else")
    @Loop func lengths() async throws {
        try await PostFixture.with { fixture async throws in
            var newest: [String] = []
            for number in 0..<6 { newest.insert(try await fixture.write("post \(number)").id.text, at: 0) }
            for _ in 0..<2 {
                for limit in 1...3 {
                    let first = try await fixture.list(["limit": .integer(Int64(limit))])
                    #expect(fixture.ids(first) == Array(newest[..<limit]))
                    let second = try await fixture.list(["limit": .integer(Int64(limit)), "page": 2])
                    #expect(fixture.ids(second) == Array(newest[limit..<2 * limit]))
                }
                let cursor = try #require(try await fixture.list(["limit": 1])["nextCursor"]?.string)
                for limit in 1...3 {
                    let page = try await fixture.list(["limit": .integer(Int64(limit)), "cursor": .string(cursor)])
                    #expect(fixture.ids(page) == Array(newest[1...limit]))
                }
            }
        }
    }
}
