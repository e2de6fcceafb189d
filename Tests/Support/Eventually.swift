/// Waits until a condition holds, looking again every few milliseconds.
///
/// - Parameters:
///   - limit: how long at most.
///   - condition: what is awaited; errors it throws end the wait.
/// - Returns: whether it held within the limit.
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
