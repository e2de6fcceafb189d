/// Builds a reply from its parts, which hiredis reads depth first.
final class RedisReplyBuilder {
    /// An array whose elements have not all been added.
    private struct IncompleteArray {
        var elements: [RedisValue]
        let count: Int
    }

    /// The nested arrays that contain the next value, the outermost first.
    private var arrays: [IncompleteArray] = []
    private var result: RedisValue?

    func add(_ value: RedisValue) {
        var value = value
        while var array = arrays.popLast() {
            array.elements.append(value)
            guard array.elements.count == array.count else { return arrays.append(array) }
            value = .array(array.elements)
        }
        result = value
    }

    func beginArray(count: Int) {
        guard count > 0 else { return add(.array([])) }
        var array = IncompleteArray(elements: [], count: count)
        // At most 1024 elements are reserved ahead, because the count may be wrong.
        array.elements.reserveCapacity(min(count, 1024))
        arrays.append(array)
    }

    /// Returns the reply and removes it, or returns `nil` if it is incomplete.
    func take() -> RedisValue? {
        defer { result = nil }
        return result
    }
}
