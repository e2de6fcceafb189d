import ChaosKit
import Testing

@Suite("Plan") struct ChaosPlanTests {
    private let targets: [String: Set<String>] = [
        "a": ["broker"], "b": ["broker"], "c": ["postgres"], "d": ["redis"], "e": ["workers", "broker"],
    ]

    @Test("the same seed makes the same plan, and another seed another one")
    func seed() {
        #expect(episodes(seed: 1) == episodes(seed: 1))
        #expect(episodes(seed: 1) != episodes(seed: 2))
    }

    @Test("at first each fault comes up alone")
    func alone() {
        let first = episodes(seed: 3).prefix(targets.count)
        #expect(first.allSatisfy { $0.count == 1 })
        #expect(Set(first.joined()) == Set(targets.keys))
    }

    @Test("faults that run together attack different targets")
    func disjoint() {
        for episode in episodes(seed: 4).dropFirst(targets.count) {
            let attacked = episode.flatMap { targets[$0] ?? [] }
            #expect(Set(attacked).count == attacked.count, "\(episode)")
        }
    }

    @Test("later episodes have several faults, and every fault comes up again")
    func mixed() {
        let later = episodes(seed: 5).dropFirst(targets.count)
        #expect(later.contains { $0.count > 1 })
        #expect(Set(later.joined()) == Set(targets.keys))
    }

    private func episodes(seed: UInt64) -> [[String]] {
        var plan = ChaosPlan(targets: targets, seed: seed)
        return (0..<30).map { _ in plan.next() }
    }
}
