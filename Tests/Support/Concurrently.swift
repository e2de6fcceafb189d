internal import Reactor

/// Runs a body several times at once.
///
/// - Parameters:
///   - count: the number of runs.
///   - body: called with the number of the run, from 0.
/// - Returns: the results, in the order in which the runs end.
package func concurrently<Value: Sendable>(
    _ count: Int, _ body: @escaping @Loop @Sendable (Int) async throws -> Value
) async throws -> [Value] {
    try await withThrowingTaskGroup(of: Value.self) { group in
        for number in 0..<count { group.addTask { try await body(number) } }
        var values: [Value] = []
        for try await value in group { values.append(value) }
        return values
    }
}
