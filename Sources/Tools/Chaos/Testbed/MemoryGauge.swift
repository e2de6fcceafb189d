import Glibc
import Reactor

/// Measures by how much processes grow.
@Loop final class MemoryGauge {
    private static let interval: Duration = .seconds(1)

    private let before: [pid_t: Int]
    private var maximum: [pid_t: Int]

    /// Takes the present size of each process as the size from which it grows.
    init(_ pids: [pid_t]) {
        before = Dictionary(pids.map { ($0, ProcessFiles.memory(of: $0)) }, uniquingKeysWith: { $1 })
        maximum = before
    }

    /// Measures the processes every second while a body runs.
    func measuring<Value: Sendable>(_ body: @Loop () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.measure() }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    private func measure() async {
        while !Task.isCancelled {
            for pid in before.keys { maximum[pid] = max(maximum[pid] ?? 0, ProcessFiles.memory(of: pid)) }
            try? await Loop.sleep(for: Self.interval)
        }
    }

    /// The bytes by which each process was larger at its largest than at the beginning.
    var growth: [pid_t: Int] { maximum.merging(before) { $0 - $1 } }
}
