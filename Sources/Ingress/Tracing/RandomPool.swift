internal import Glibc
internal import Synchronization

/// The system's random numbers, fetched many at a time: one system call each would be felt in every request.
final class RandomPool: Sendable {
    /// The one pool of the process.
    static let shared = RandomPool()

    /// As many as getentropy(3) gives in one call, which is 256 bytes.
    private static let size = 32

    private struct State {
        var numbers = [UInt64](repeating: 0, count: RandomPool.size)
        var used = RandomPool.size
    }

    private let state = Mutex(State())

    /// The next number.
    func next() -> UInt64 {
        state.withLock { state in
            if state.used == state.numbers.count { Self.fill(&state) }
            defer { state.used += 1 }
            return state.numbers[state.used]
        }
    }

    private static func fill(_ state: inout State) {
        let isFilled = state.numbers.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { getentropy($0, bytes.count) == 0 } ?? false
        }
        if !isFilled {
            // A kernel without it: the standard library has its own ways.
            for index in state.numbers.indices { state.numbers[index] = .random(in: 0 ... .max) }
        }
        state.used = 0
    }
}

/// The pool's numbers, where a generator is wanted.
struct PooledGenerator: RandomNumberGenerator {
    mutating func next() -> UInt64 { RandomPool.shared.next() }
}
