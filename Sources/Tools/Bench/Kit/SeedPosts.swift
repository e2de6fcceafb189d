package import Contracts
package import FoundationEssentials
internal import TestData
internal import WorkerKit

/// The posts with which the bench fills the databases. Post 0 is the newest; each further post is 30 s older. The id,
/// the time and the text of a post follow from its number, so that the posts need not be kept in memory.
package struct SeedPosts: Sendable {
    private static let secondsBetweenPosts = 30
    private static let authors = 1_000

    private let newest: Timestamp
    private let words: WordList

    /// - Parameters:
    ///   - newest: the creation time of post 0.
    ///   - words: the words of the posts.
    package init(newest: Timestamp, words: WordList) {
        self.newest = newest
        self.words = words
    }

    /// Returns the creation time of a post.
    package func time(_ number: Int) -> Timestamp {
        newest.advanced(by: .seconds(-Self.secondsBetweenPosts * number))
    }

    /// Returns the id of a post.
    package func id(_ number: Int) -> UUID {
        UUID.v7(hashing: Array("post \(number) of \(newest.milliseconds)".utf8), at: time(number))
    }

    /// Returns the cursor of the page that begins after a post.
    package func cursor(after number: Int) -> String { KeysetCursor(time: time(number), id: id(number)).text }

    /// The columns of ``row(_:)``.
    package static let columns = "id, author_id, author_name, content, media_ids, created_at"

    /// Returns a post as a line for `COPY … FROM STDIN` in the text format.
    package func row(_ number: Int) -> String {
        var generator = SeededGenerator(seed: UInt64(number))
        let author = Int.random(in: 0..<Self.authors, using: &generator)
        let authorID = UUID.v7(hashing: Array("author \(author)".utf8), at: newest)
        let text = words.text(using: &generator)
        return "\(id(number).text)\t\(authorID.text)\tauthor-\(author)\t\(text)\t{}\t\(time(number).text)\n"
    }
}
