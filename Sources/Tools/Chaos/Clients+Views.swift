import ChaosKit
import Contracts
import Curl
import Reactor

extension Clients {
    /// The number of posts of each kind that are read and searched for at the end of an episode.
    private static let sample = 20

    /// Compares the pictures in posts, and the results of searches, with the stores. Call this when all queues are
    /// empty. A difference can also come from a cache that has something older.
    ///
    /// - Returns: a line for each difference.
    func checkViews(_ effects: Effects) async -> [String] {
        var found: [String] = []
        let stored = items.filter {
            $0.kind == .post && $0.creation == .done && $0.deletion == nil && $0.id != nil
                && effects.count(.posts, $0.mark) == 1
        }
        for post in stored.filter({ !$0.pictures.isEmpty }).suffix(Self.sample) {
            found += await checkPictures(of: post, effects)
        }
        // Too many posts of a flood have the same words.
        for post in stored.filter({ $0.mark.hasPrefix("\(prefix) post ") }).suffix(Self.sample) {
            guard let hits = await hits(post.mark), !hits.contains(post.id ?? "") else { continue }
            found.append("\(post.summary): a search for its content does not find it")
        }
        for post in foundPosts.suffix(Self.sample) where effects.count(.posts, post.mark) == 0 {
            guard await hits(post.mark)?.contains(post.id) == true else { continue }
            found.append("a search for its content finds the post \(post.id), although it was deleted")
        }
        return found
    }

    /// Reads a post, and compares the URLs and the descriptions of its pictures with the stores.
    private func checkPictures(of post: Item, _ effects: Effects) async -> [String] {
        guard let response = await get(.post, "/v1/posts/\(post.id ?? "")", post.owner, isRecorded: false),
            response.status == 200, let body = try? JSON.parse(response.body)
        else { return ["\(post.summary): it cannot be read"] }
        let shown = body["media"]?.array ?? []
        var found: [String] = []
        if shown.count != post.pictures.count { found.append("\(post.summary): it shows \(shown.count) pictures") }
        for picture in shown {
            guard let id = picture["id"]?.string, picture["url"]?.string != nil else {
                found.append("\(post.summary): it shows a picture without a URL")
                continue
            }
            let (text, stored) = (picture["description"]?.string ?? "", effects.descriptions[.pictures]?[id] ?? "")
            if text != stored {
                found.append("\(post.summary): it describes a picture as \"\(text)\" instead of \"\(stored)\"")
            }
        }
        return found
    }

    /// Returns the ids of the posts that a search for a post's content finds; `nil` if the search fails.
    func hits(_ mark: String, isRecorded: Bool = false) async -> [String]? {
        let query = mark.replacing(" ", with: "%20")
        let response = await get(
            .search, "/v1/search/posts?query=\(query)&limit=50", 0, isRecorded: isRecorded)
        guard let response, response.status == 200, let page = try? JSON.parse(response.body) else { return nil }
        return page["posts"]?.array?.compactMap { $0["id"]?.string } ?? []
    }
}
