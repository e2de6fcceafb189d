internal import Contracts

/// What became of the requests of a flood, as `flood.lua` writes it down. A line has fields that a tab separates:
///
/// | fields | meaning |
/// |---|---|
/// | `sent`, account, mark | a request that creates a post was sent |
/// | `post`, status, mark, body | its response; the body is empty if the status is not 2xx |
/// | `list`, status | the response to a request that reads the list of posts |
/// | `no-retry-after`, status | the last response is a 429 or 503 and does not tell when to try again |
package struct FloodNotes: Sendable {
    /// The script for `wrk`.
    package static let script = PackageResources.flood_lua

    /// A line has none of the forms above.
    package struct Malformed: Error, CustomStringConvertible {
        package let line: String

        package var description: String { "a malformed line in the notes of the flood: \(line)" }
    }

    /// A request that creates a post.
    package struct Post: Sendable {
        package let account: Int
        /// The status of the response; `nil` if none came before the flood ended.
        package var status: Int?
        /// The id of the post if the response has one.
        package var id: String?
    }

    /// The posts by their mark.
    package private(set) var posts: [String: Post] = [:]
    /// The number of responses by status.
    package private(set) var countsByStatus: [Int: Int] = [:]
    /// The number of responses with 429 or 503 that have no `Retry-After`.
    package private(set) var refusalsWithoutRetryAfter = 0

    package init() {}

    /// Adds the notes of one connection.
    ///
    /// - Throws: ``Malformed``.
    package mutating func add(_ text: String) throws(Malformed) {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            switch (fields.first, fields.count, fields.count > 1 ? Int(fields[1]) : nil) {
            case ("sent", 3, let account?): posts[String(fields[2])] = Post(account: account)
            case ("post", 4, let status?):
                countsByStatus[status, default: 0] += 1
                let mark = String(fields[2])
                posts[mark]?.status = status
                posts[mark]?.id = (try? JSON.parse(Array(fields[3].utf8)))?["id"]?.string
            case ("list", 2, let status?): countsByStatus[status, default: 0] += 1
            case ("no-retry-after", 2, _?): refusalsWithoutRetryAfter += 1
            default: throw Malformed(line: String(line))
            }
        }
    }

    /// The number of responses.
    package var responses: Int { countsByStatus.values.reduce(0, +) }
}
