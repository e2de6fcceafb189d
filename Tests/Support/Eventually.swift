/// Waits until a condition holds. Checks the condition every 10 ms.
///
/// - Parameters:
///   - limit: the time limit.
///   - condition: the condition; an error that it throws ends the wait.
/// - Returns: whether the condition held within the time limit.
public func eventually(
    within limit: Duration = .seconds(10), isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return try await condition()
}
