internal import Glibc
internal import Synchronization

/// Random numbers from the kernel. They are fetched in batches, because one system call per number would measurably
/// slow down each request.
package final class RandomPool: Sendable {
    /// The pool of the process.
    package static let shared = RandomPool()

    /// The number of random numbers per batch. One call of getentropy(3) returns at most 256 bytes.
    private static let size = 32

    private struct State {
        var numbers = [UInt64](repeating: 0, count: RandomPool.size)
        var used = RandomPool.size
    }

    private let state = Mutex(State())

    /// Returns the next number.
    package func next() -> UInt64 {
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
            // The kernel does not support getentropy(3); the standard library has a fallback.
            for index in state.numbers.indices { state.numbers[index] = .random(in: 0 ... .max) }
        }
        state.used = 0
    }
}

/// A random number generator that reads from the pool.
package struct PooledGenerator: RandomNumberGenerator {
    package init() {}

    package mutating func next() -> UInt64 { RandomPool.shared.next() }
}
