internal import TestData

/// The order in which a run causes its faults. It follows from the seed.
package struct ChaosPlan: Sendable {
    /// The faults of one episode, which run together.
    package typealias Episode = [String]

    private var generator: SeededGenerator
    private let names: [String]
    private let demands: [String: Demands]
    private var waiting: [String] = []

    /// The servers and processes that a fault attacks (`targets`), and those that must work meanwhile (`needs`).
    package struct Demands: Sendable {
        package let targets: Set<String>
        package let needs: Set<String>

        package init(targets: Set<String>, needs: Set<String> = []) {
            (self.targets, self.needs) = (targets, needs)
        }

        /// Whether both faults can last at the same time.
        func allows(_ other: Demands) -> Bool {
            targets.isDisjoint(with: other.targets.union(other.needs)) && needs.isDisjoint(with: other.targets)
        }
    }

    /// - Parameters:
    ///   - demands: the demands of each fault. Faults that do not allow each other never run together.
    ///   - seed: determines the order.
    package init(demands: [String: Demands], seed: UInt64) {
        self.demands = demands
        names = demands.keys.sorted()
        generator = SeededGenerator(seed: seed)
    }

    /// Returns the next episode. At first, each fault has an episode of its own, in random order. Afterwards, every
    /// episode has two or three faults, and each fault comes up as often as the others.
    package mutating func next() -> Episode {
        episodes += 1
        if episodes <= names.count { return [take()] }
        var episode = [take()]
        for _ in 1...Int.random(in: 1...2, using: &generator) {
            guard let index = waiting.firstIndex(where: { allows($0, in: episode) }) else { break }
            episode.append(waiting.remove(at: index))
        }
        return episode
    }

    private func allows(_ name: String, in episode: [String]) -> Bool {
        guard let own = demands[name] else { return false }
        return episode.allSatisfy { demands[$0]?.allows(own) == true }
    }

    private var episodes = 0

    private mutating func take() -> String {
        if waiting.isEmpty { waiting = names.shuffled(using: &generator) }
        return waiting.removeFirst()
    }
}
