package import Reactor

/// Lets so many tests at once through, and has the others wait for their turn: the server has only so many connections.
@Loop package final class Turns {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Makes turns for so many at once.
    package nonisolated init(_ free: Int) {
        self.free = free
    }

    /// Runs a body when its turn has come.
    package func take(_ body: @Loop () async throws -> Void) async throws {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
        defer { give() }
        try await body()
    }

    private func give() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
