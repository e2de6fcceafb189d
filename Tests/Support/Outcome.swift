/// How a body ended, for what must follow it in either case.
public func outcome<Value>(
    isolation: isolated (any Actor)? = #isolation, of body: () async throws -> Value
) async -> Result<Value, any Error> {
    do {
        return .success(try await body())
    } catch {
        return .failure(error)
    }
}
