internal import Contracts
internal import FoundationEssentials
internal import Reactor
internal import WorkerKit

/// How far a rebuild has come.
package struct RebuildProgress: Sendable, Hashable {
    /// How many posts the post service has listed.
    package internal(set) var read = 0
    /// How many it had at the beginning, as far as it says.
    package internal(set) var total: Int?
    /// How many of them the index did not have.
    package internal(set) var added = 0
    /// How many the index had that are no more.
    package internal(set) var removed = 0
}

/// Makes the index hold the posts that the post service has, and no others, while posts come and go and are searched.
///
/// It walks the list from the newest post to the oldest, and the index with it. What is missing is added, save what has a
/// tombstone: a deletion that comes meanwhile wins, whichever of the two is first. What the index has between two posts
/// that follow one another in the list is gone. That is not said of anything as young as ``settling``: a post that comes
/// meanwhile is the events' business. Any part of it done again changes nothing.
@Loop struct IndexRebuild {
    /// A list that does not get on: going on with it would not end, or remove what is there.
    struct Disorder: Error, CustomStringConvertible {
        var description: String { "the post service's list is not in order" }
    }

    /// Longer than a post takes from its time to its place in the list (10 s), and a list's page stays in a cache (60 s),
    /// and clocks are apart.
    static let settling: Duration = .seconds(600)

    let index: SearchIndex
    let cache: ListCache
    /// Gives the posts that follow a cursor; without one, the newest.
    let list: @Loop (String?) async throws -> Page<Post>
    /// Is told after every page.
    let report: @Loop (RebuildProgress) -> Void

    func run() async throws -> RebuildProgress {
        var progress = RebuildProgress()
        let settled = Timestamp.now().advanced(by: .zero - Self.settling)
        var from = ListPlace.newest
        var cursor: String?
        repeat {
            let page = try await list(cursor)
            if progress.total == nil { progress.total = page.number?.total }
            let to = try end(of: page, from: from)
            let added = try await index.add(page.items)
            let removed = try await index.sweep(
                from: from, to: to, olderThan: settled, keeping: page.items.map(\.id))
            if added + removed > 0 { await cache.invalidate() }
            progress.read += page.items.count
            progress.added += added
            progress.removed += removed
            report(progress)
            (from, cursor) = (to, page.nextCursor)
        } while cursor != nil
        return progress
    }

    /// Where the part of the list that a page shows ends: at its last post or, of the last page, at the end of all.
    private func end(of page: Page<Post>, from start: ListPlace) throws(Disorder) -> ListPlace {
        var place = start
        for post in page.items {
            let next = ListPlace(time: post.createdAt, id: post.id)
            guard next < place else { throw Disorder() }
            place = next
        }
        if page.nextCursor == nil { return .oldest }
        guard place < start else { throw Disorder() }
        return place
    }
}

/// A place in the list of all posts, which runs from the newest to the oldest.
struct ListPlace: Sendable, Hashable, Comparable {
    let time: Timestamp
    let id: UUID

    static let newest = ListPlace(time: Timestamp(milliseconds: .max), id: UUID(octets: .init(repeating: 0xFF)))
    static let oldest = ListPlace(time: Timestamp(milliseconds: .min), id: UUID(octets: .init(repeating: 0)))

    static func < (left: ListPlace, right: ListPlace) -> Bool {
        left.time == right.time ? left.id < right.id : left.time < right.time
    }
}
