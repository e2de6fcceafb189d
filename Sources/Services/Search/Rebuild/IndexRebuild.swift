internal import Contracts
internal import FoundationEssentials
internal import Reactor
internal import WorkerKit

/// The progress of a rebuild, in posts.
package struct RebuildProgress: Sendable, Hashable {
    /// The posts that the post service has listed so far.
    package internal(set) var read = 0
    /// The posts that the post service had at the start; `nil` if its first page does not say.
    package internal(set) var total: Int?
    /// The listed posts that were missing from the index.
    package internal(set) var added = 0
    /// The posts in the index that no longer exist.
    package internal(set) var removed = 0
}

/// Makes the index hold exactly the posts of the post service, while posts come and go and searches run.
///
/// It walks the list of posts and the index in parallel, from the newest post to the oldest. A listed post
/// that is missing from the index is added, unless the index has a tombstone for it: a deletion wins over the
/// list, whichever comes first. An indexed post between two consecutive listed posts no longer exists and is
/// removed, unless it is younger than ``settlingTime``, because the events of recent posts are still being
/// delivered. All steps are idempotent.
@Loop struct IndexRebuild {
    /// Posts younger than this are not removed. It is longer than the delay between a post's time and its
    /// place in the list (10 s), the lifetime of a cached page of the list (60 s), and the differences
    /// between clocks.
    static let settlingTime: Duration = .seconds(600)

    let index: SearchIndex
    let cache: ListCache
    /// Returns the page of posts after a cursor; the newest posts if the cursor is `nil`.
    let list: @Loop (String?) async throws -> Page<Post>
    /// Called after each page.
    let report: @Loop (RebuildProgress) -> Void

    /// Runs the rebuild.
    ///
    /// - Returns: the progress at the end.
    /// - Throws: ``RebuildError`` if the list is out of order, and the errors of ``list`` and of the database.
    func run() async throws -> RebuildProgress {
        var progress = RebuildProgress()
        let settled = Timestamp.now().advanced(by: .zero - Self.settlingTime)
        var start = ListPosition.newest
        var cursor: String?
        repeat {
            let page = try await list(cursor)
            if progress.total == nil { progress.total = page.number?.total }
            let end = try endPosition(of: page, from: start)
            let added = try await index.add(page.items)
            let removed = try await index.removeUnlisted(
                from: start, to: end, olderThan: settled, keeping: page.items.map(\.id))
            if added + removed > 0 { await cache.invalidate() }
            progress.read += page.items.count
            progress.added += added
            progress.removed += removed
            report(progress)
            (start, cursor) = (end, page.nextCursor)
        } while cursor != nil
        return progress
    }

    /// Returns the position of a page's last post; the end of the list for the last page.
    ///
    /// - Throws: ``RebuildError`` if a post is not older than the one before it, because the rebuild would
    ///   remove existing posts or never end.
    private func endPosition(of page: Page<Post>, from start: ListPosition) throws(RebuildError) -> ListPosition {
        let error = RebuildError(.listOutOfOrder, "the post service's list of posts is out of order")
        var position = start
        for post in page.items {
            let next = ListPosition(time: post.createdAt, id: post.id)
            guard next < position else { throw error }
            position = next
        }
        if page.nextCursor == nil { return .oldest }
        guard position < start else { throw error }
        return position
    }
}

/// A position in the list of all posts, which runs from the newest (greatest) to the oldest (least).
struct ListPosition: Sendable, Hashable, Comparable {
    let time: Timestamp
    let id: UUID

    static let newest = ListPosition(time: Timestamp(milliseconds: .max), id: UUID(octets: .init(repeating: 0xFF)))
    static let oldest = ListPosition(time: Timestamp(milliseconds: .min), id: UUID(octets: .init(repeating: 0)))

    static func < (left: ListPosition, right: ListPosition) -> Bool {
        left.time == right.time ? left.id < right.id : left.time < right.time
    }
}
