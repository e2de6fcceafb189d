import Curl
import Reactor
import Testing

/// Makes a server and a client, and closes both after the body.
@Loop func withServer(
    maximumConnections: Int = 64, _ body: @Loop (HTTPServer, CurlClient) async throws -> Void
) async throws {
    let server = try HTTPServer()
    defer { server.stop() }
    let client = try CurlClient(maximumConnections: maximumConnections)
    defer { client.close() }
    try await body(server, client)
}

/// The error that a request ends with.
@Loop func failure(_ client: CurlClient, _ request: HTTPRequest) async -> CurlError? {
    do {
        _ = try await client.perform(request)
        return nil
    } catch {
        return error
    }
}
