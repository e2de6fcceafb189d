/// Builds a reply from its parts, which hiredis reads depth first.
final class RedisReplyBuilder {
    private struct Level {
        var elements: [RedisValue]
        let count: Int
    }

    private var levels: [Level] = []
    private var result: RedisValue?

    func add(_ value: RedisValue) {
        var value = value
        while var level = levels.popLast() {
            level.elements.append(value)
            guard level.elements.count == level.count else { return levels.append(level) }
            value = .array(level.elements)
        }
        result = value
    }

    func beginArray(count: Int) {
        guard count > 0 else { return add(.array([])) }
        var level = Level(elements: [], count: count)
        // At most 1024 elements are reserved ahead, because the count may be wrong.
        level.elements.reserveCapacity(min(count, 1024))
        levels.append(level)
    }

    /// Returns the reply and removes it, or returns `nil` if it is incomplete.
    func take() -> RedisValue? {
        defer { result = nil }
        return result
    }
}
