/// Returns the result of a body, for clean-up that must follow a success and a failure.
public func outcome<Value>(
    isolation: isolated (any Actor)? = #isolation, of body: () async throws -> Value
) async -> Result<Value, any Error> {
    do {
        return .success(try await body())
    } catch {
        return .failure(error)
    }
}
