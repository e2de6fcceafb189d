internal import Contracts
internal import FoundationEssentials
internal import Reactor
internal import WorkerKit

/// The progress of a rebuild, in posts.
package struct RebuildProgress: Sendable, Hashable {
    /// The posts that were read from the post service's list.
    package internal(set) var read = 0
    /// The posts that the post service had at the start; `nil` if the first page of the list has no total.
    package internal(set) var total: Int?
    /// The listed posts that were added to the index or got new words.
    package internal(set) var added = 0
    /// The posts that were removed from the index, because they are not listed.
    package internal(set) var removed = 0
}

/// Adds missing posts to the index, and removes posts that no longer exist. Posts can be created, deleted and
/// searched meanwhile.
///
/// It reads the list of posts page by page, from the newest post to the oldest, and compares each page with the same
/// part of the index. A listed post that is missing from the index is added, unless the index has a tombstone for
/// it, so a deleted post stays deleted even if the list still has it. An indexed post that is not listed is removed,
/// unless it is younger than ``settlingTime``, because a recent post may be indexed before the list shows it. All
/// steps are idempotent.
@Loop struct IndexRebuild {
    /// Posts younger than this are not removed. It is longer than the time from a post's creation time to its commit
    /// (10 s), the lifetime of a cached page of the list (60 s), and the differences between clocks.
    static let settlingTime: Duration = .seconds(600)

    let index: SearchIndex
    let cache: ListCache
    /// Returns the page of posts after a cursor; the newest posts if the cursor is `nil`.
    let list: @Loop (String?) async throws -> Page<Post>
    /// Called after each page.
    let onProgress: @Loop (RebuildProgress) -> Void

    /// Runs the rebuild.
    ///
    /// - Returns: the progress at the end.
    /// - Throws: ``RebuildError`` if the list is out of order, and the errors of ``list`` and of the database.
    func run() async throws -> RebuildProgress {
        var progress = RebuildProgress()
        let removableBefore = Timestamp.now().advanced(by: .zero - Self.settlingTime)
        var start = ListPosition.newest
        var cursor: String?
        repeat {
            let page = try await list(cursor)
            if progress.total == nil { progress.total = page.number?.total }
            let end = try endPosition(of: page, from: start)
            let added = try await index.add(page.items)
            let removed = try await index.removeUnlisted(
                from: start, to: end, olderThan: removableBefore, keeping: page.items.map(\.id))
            if added + removed > 0 { await cache.invalidate() }
            progress.read += page.items.count
            progress.added += added
            progress.removed += removed
            onProgress(progress)
            (start, cursor) = (end, page.nextCursor)
        } while cursor != nil
        return progress
    }

    /// Returns the position of a page's last post; if the page is the last one, the end of the list.
    ///
    /// - Throws: ``RebuildError`` if a post is not older than the one before it. Continuing could remove existing
    ///   posts or never end.
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

/// A position in the list of all posts. Newer positions are greater; the list is in descending order.
struct ListPosition: Sendable, Hashable, Comparable {
    let time: Timestamp
    let id: UUID

    static let newest = ListPosition(time: Timestamp(milliseconds: .max), id: UUID(octets: .init(repeating: 0xFF)))
    static let oldest = ListPosition(time: Timestamp(milliseconds: .min), id: UUID(octets: .init(repeating: 0)))

    static func < (left: ListPosition, right: ListPosition) -> Bool {
        left.time == right.time ? left.id < right.id : left.time < right.time
    }
}
