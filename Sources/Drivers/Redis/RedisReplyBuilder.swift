/// Puts a reply together from its parts as they are read, depth first.
final class RedisReplyBuilder {
    private struct Level {
        var elements: [RedisValue]
        let count: Int
    }

    private var levels: [Level] = []
    private var whole: RedisValue?

    func add(_ value: RedisValue) {
        var value = value
        while var level = levels.popLast() {
            level.elements.append(value)
            guard level.elements.count == level.count else { return levels.append(level) }
            value = .array(level.elements)
        }
        whole = value
    }

    func beginArray(count: Int) {
        guard count > 0 else { return add(.array([])) }
        var level = Level(elements: [], count: count)
        // The count is the peer's word: room for more comes with the elements themselves.
        level.elements.reserveCapacity(min(count, 1024))
        levels.append(level)
    }

    /// The reply, once it is whole.
    func take() -> RedisValue? {
        defer { whole = nil }
        return whole
    }
}
