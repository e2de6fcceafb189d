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

    @Test("every other episode has one fault, and the others have two or three")
    func alternation() {
        let all = episodes(seed: 3)
        for (index, episode) in all.enumerated() where index.isMultiple(of: 2) { #expect(episode.count == 1) }
        #expect(all.contains { $0.count > 1 })
        #expect(all.allSatisfy { $0.count <= 3 })
    }

    @Test("without mixing, each fault comes up alone")
    func alone() {
        var plan = ChaosPlan(demands: demands, seed: 3, isMixing: false)
        let episodes = demands.map { _ in plan.next() }
        #expect(episodes.allSatisfy { $0.count == 1 })
        #expect(Set(episodes.joined()) == Set(demands.keys))
    }

    @Test("the plan knows when each fault was caused")
    func completeness() {
        var plan = ChaosPlan(demands: demands, seed: 6)
        var caused: Set<String> = []
        while !plan.hasCausedAll {
            #expect(caused != Set(demands.keys))
            caused.formUnion(plan.next())
        }
        #expect(caused == Set(demands.keys))
    }

    @Test("faults that run together attack different targets, and nothing that another one needs")
    func disjoint() {
        for episode in episodes(seed: 4) {
            let attacked = episode.flatMap { demands[$0]?.targets ?? [] }
            #expect(Set(attacked).count == attacked.count, "\(episode)")
            let needed = Set(episode.flatMap { demands[$0]?.needs ?? [] })
            #expect(needed.isDisjoint(with: attacked), "\(episode)")
        }
    }

    @Test("every fault comes up again")
    func repetition() {
        #expect(Set(episodes(seed: 5).dropFirst(demands.count).joined()) == Set(demands.keys))
    }

    private func episodes(seed: UInt64) -> [[String]] {
        var plan = ChaosPlan(demands: demands, seed: seed)
        return (0..<30).map { _ in plan.next() }
    }
}
