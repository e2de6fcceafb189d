internal import TestData

/// The order in which a run causes its faults. It follows from the seed.
package struct ChaosPlan: Sendable {
    /// The faults of one episode, which run together.
    package typealias Episode = [String]

    private var generator: SeededGenerator
    private let names: [String]
    private let targets: [String: Set<String>]
    private var waiting: [String] = []

    /// - Parameters:
    ///   - targets: what each fault attacks. Faults with a common target never run together.
    ///   - seed: determines the order.
    package init(targets: [String: Set<String>], seed: UInt64) {
        self.targets = targets
        names = targets.keys.sorted()
        generator = SeededGenerator(seed: seed)
    }

    /// Returns the next episode. At first, each fault has an episode of its own, in random order. Afterwards, every
    /// episode has two or three faults, and each fault comes up as often as the others.
    package mutating func next() -> Episode {
        episodes += 1
        if episodes <= names.count { return [take()] }
        let first = take()
        var episode = [first]
        var attacked = targets[first] ?? []
        for _ in 1...Int.random(in: 1...2, using: &generator) {
            guard let index = waiting.firstIndex(where: { attacked.isDisjoint(with: targets[$0] ?? []) }) else { break }
            let other = waiting.remove(at: index)
            attacked.formUnion(targets[other] ?? [])
            episode.append(other)
        }
        return episode
    }

    private var episodes = 0

    private mutating func take() -> String {
        if waiting.isEmpty { waiting = names.shuffled(using: &generator) }
        return waiting.removeFirst()
    }
}
