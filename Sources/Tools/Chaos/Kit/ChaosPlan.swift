internal import TestData

/// The order in which a run causes its faults. It follows from the seed.
package struct ChaosPlan: Sendable {
    /// The faults of one episode, which run together.
    package typealias Episode = [String]

    private var generator: SeededGenerator
    private let names: [String]
    private let demands: [String: Demands]
    private let isMixing: Bool
    private var waiting: [String] = []
    private var episodes = 0
    /// The faults that no episode has caused yet.
    private var uncaused: Set<String>

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
    ///   - isMixing: whether faults run together in every other episode.
    package init(demands: [String: Demands], seed: UInt64, isMixing: Bool = true) {
        self.demands = demands
        self.isMixing = isMixing
        names = demands.keys.sorted()
        uncaused = Set(names)
        generator = SeededGenerator(seed: seed)
    }

    /// Whether each fault was in an episode.
    package var hasCausedAll: Bool { uncaused.isEmpty }

    /// Returns the next episode: by turns one fault alone, and two or three together. Each fault comes up as often as
    /// the others.
    package mutating func next() -> Episode {
        episodes += 1
        var episode = [take()]
        if isMixing, episodes.isMultiple(of: 2) {
            for _ in 1...Int.random(in: 1...2, using: &generator) {
                guard let index = waiting.firstIndex(where: { allows($0, in: episode) }) else { break }
                episode.append(waiting.remove(at: index))
            }
        }
        uncaused.subtract(episode)
        return episode
    }

    private func allows(_ name: String, in episode: [String]) -> Bool {
        guard let own = demands[name] else { return false }
        return episode.allSatisfy { demands[$0]?.allows(own) == true }
    }

    private mutating func take() -> String {
        if waiting.isEmpty { waiting = names.shuffled(using: &generator) }
        return waiting.removeFirst()
    }
}
