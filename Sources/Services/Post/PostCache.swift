internal import Contracts
internal import FoundationEssentials
internal import Reactor
internal import WorkerKit

/// What the post service keeps in Redis: single posts and pages, as the bodies of the replies that show them.
@Loop struct PostCache {
    private let posts: EntityCache
    private let pages: ListCache

    init(_ resources: WorkerResources) {
        let invalidations = Invalidations(redis: resources.redis, log: resources.log)
        posts = EntityCache(
            redis: resources.redis, invalidations: invalidations, name: "post:one", lifetime: .seconds(300))
        pages = ListCache(
            redis: resources.redis, invalidations: invalidations, name: "post:list", lifetime: .seconds(60))
    }

    func find(_ id: UUID) async -> EntityCache.Finding { await posts.find(id.text) }

    func fill(_ id: UUID, _ body: [UInt8]) async { await posts.fill(id.text, body) }

    /// Keeps a post from being cached for a while: it is gone, or shows something else now.
    func bury(_ id: UUID) async { await posts.bury(id.text) }

    func findPage(_ query: ListRequest) async -> ListCache.Finding { await pages.find(key(query)) }

    func storePage(_ query: ListRequest, _ body: [UInt8], generation: String) async {
        await pages.store(key(query), body, generation: generation)
    }

    func invalidatePages() async { await pages.invalidate() }

    private func key(_ query: ListRequest) -> String {
        query.cursor.map { "\(query.limit):after:\($0)" } ?? "\(query.limit):\(query.page ?? 1)"
    }
}
