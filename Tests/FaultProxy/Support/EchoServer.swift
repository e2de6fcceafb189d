import Foundation
import Glibc

@testable import FaultProxy

/// A server that sends a greeting to each client, and then sends back what it receives. It serves one connection at a
/// time.
final class EchoServer: Sendable {
    let port: Int
    private let listener: Int32

    init(greeting: [UInt8] = []) throws {
        (listener, port) = try LoopbackSocket.listen(on: "127.0.0.1", port: 0)
        let listener = listener
        Thread { Self.serve(listener, greeting) }.start()
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private static func serve(_ listener: Int32, _ greeting: [UInt8]) {
        defer { close(listener) }
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            _ = LoopbackSocket.send(greeting[...], to: client)
            while let bytes = receive(client), LoopbackSocket.send(bytes[...], to: client) {}
            close(client)
        }
    }

    /// Waits for the next bytes; `nil` if the connection has ended.
    static func receive(_ socket: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = recv(socket, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }
}
