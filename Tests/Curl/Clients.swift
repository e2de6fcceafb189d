import Curl
import Reactor
import Testing

/// Runs a closure with a server and a client, and closes both afterwards.
@Loop func withServer(
    maximumConnections: Int = 64, _ body: @Loop (HTTPServer, CurlClient) async throws -> Void
) async throws {
    let server = try HTTPServer()
    defer { server.stop() }
    let client = try CurlClient(maximumConnections: maximumConnections)
    defer { client.close() }
    try await body(server, client)
}

/// Returns the error of a request, or `nil` if it succeeds.
@Loop func failure(_ client: CurlClient, _ request: HTTPRequest) async -> CurlError? {
    do {
        _ = try await client.perform(request)
        return nil
    } catch {
        return error
    }
}
