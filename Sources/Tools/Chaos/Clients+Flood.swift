import ChaosKit

extension Clients {
    /// Adds the posts of a flood to the ledger. Posts that were refused get no item. If one of them is stored, no
    /// client has asked for it, and that is a finding.
    func addPosts(of notes: FloodNotes) {
        for (mark, post) in notes.posts {
            let outcome = Item.Outcome(status: post.status)
            guard outcome != .refused, outcome != .unavailable else { continue }
            var item = Item(.post, mark: mark, owner: post.account)
            item.creation = outcome
            item.id = post.id
            if outcome == .done { commandCount += 1 }
            _ = add(item)
        }
    }
}
