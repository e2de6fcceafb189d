/// Runs a body and returns its value or its error, so that the caller can clean up in both cases.
public func outcome<Value>(
    isolation: isolated (any Actor)? = #isolation, of body: () async throws -> Value
) async -> Result<Value, any Error> {
    do {
        return .success(try await body())
    } catch {
        return .failure(error)
    }
}
