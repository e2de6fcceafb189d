import ChaosKit
import Testing

@Suite("Plan") struct ChaosPlanTests {
    private let demands: [String: ChaosPlan.Demands] = [
        "a": .init(targets: ["broker"]), "b": .init(targets: ["broker"]), "c": .init(targets: ["postgres"]),
        "d": .init(targets: ["redis"]), "e": .init(targets: ["workers"], needs: ["broker"]),
    ]

    @Test("the same seed makes the same plan, and another seed another one")
    func seed() {
        #expect(episodes(seed: 1) == episodes(seed: 1))
        #expect(episodes(seed: 1) != episodes(seed: 2))
    }

    @Test("at first each fault comes up alone")
    func alone() {
        let first = episodes(seed: 3).prefix(demands.count)
        #expect(first.allSatisfy { $0.count == 1 })
        #expect(Set(first.joined()) == Set(demands.keys))
    }

    @Test("faults that run together attack different targets, and nothing that another one needs")
    func disjoint() {
        for episode in episodes(seed: 4).dropFirst(demands.count) {
            let attacked = episode.flatMap { demands[$0]?.targets ?? [] }
            #expect(Set(attacked).count == attacked.count, "\(episode)")
            let needed = Set(episode.flatMap { demands[$0]?.needs ?? [] })
            #expect(needed.isDisjoint(with: attacked), "\(episode)")
        }
    }

    @Test("later episodes have several faults, and every fault comes up again")
    func mixed() {
        let later = episodes(seed: 5).dropFirst(demands.count)
        #expect(later.contains { $0.count > 1 })
        #expect(Set(later.joined()) == Set(demands.keys))
    }

    private func episodes(seed: UInt64) -> [[String]] {
        var plan = ChaosPlan(demands: demands, seed: seed)
        return (0..<30).map { _ in plan.next() }
    }
}
