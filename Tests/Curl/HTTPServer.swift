import Foundation
import Glibc
import Synchronization

/// A request as the client sent it.
struct ReceivedRequest: Sendable {
    var method: String
    var path: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }
}

/// A small HTTP/1.1 server on loopback, with a thread per connection. It can also send incomplete or invalid responses.
///
/// The first word of a request's path selects the response; see `HTTPServer+Answers.swift`.
final class HTTPServer: Sendable {
    private struct State {
        var requests: [ReceivedRequest] = []
        var sockets: Set<Int32> = []
        var accepted = 0
        var isStopped = false
    }

    let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let done = DispatchSemaphore(value: 0)

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) | listen(descriptor, 128) | getsockname(descriptor, generic, &length)
            }
        }
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        port = Int(in_port_t(bigEndian: address.sin_port))
        Thread { [self] in acceptAll() }.start()
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

    /// The requests received so far.
    var requests: [ReceivedRequest] { state.withLock { $0.requests } }

    /// The number of connections accepted so far.
    var acceptedCount: Int { state.withLock { $0.accepted } }

    /// The number of connections that are open now.
    var openCount: Int { state.withLock { $0.sockets.count } }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Stops listening and shuts all connections down.
    func stop() {
        state.withLock { $0.isStopped = true }
        shutdown(listener, Int32(SHUT_RDWR))
        done.wait()
        close(listener)
        state.withLock { state in
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    private func acceptAll() {
        defer { done.signal() }
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            state.withLock { state in
                state.accepted += 1
                state.sockets.insert(client)
            }
            Thread { [self] in serve(client) }.start()
        }
    }

    private func serve(_ client: Int32) {
        var connection = HTTPConnection(descriptor: client)
        while let request = connection.next() {
            state.withLock { $0.requests.append(request) }
            guard answer(request, on: client) else { break }
        }
        _ = state.withLock { $0.sockets.remove(client) }
        close(client)
    }
}

/// Reads requests from a connection's socket.
private struct HTTPConnection {
    let descriptor: Int32
    var buffer: [UInt8] = []

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Reads the next request; returns `nil` after the client has closed the connection.
    mutating func next() -> ReceivedRequest? {
        let end = Array("\r\n\r\n".utf8)
        var searched = 0
        var headEnd: Int?
        while headEnd == nil {
            if let found = buffer[searched...].firstRange(of: end) {
                headEnd = found.upperBound
            } else {
                searched = max(0, buffer.count - 3)
                guard receive() else { return nil }
            }
        }
        let head = String(decoding: buffer[..<(headEnd ?? 0)], as: UTF8.self)
        buffer.removeFirst(headEnd ?? 0)
        let lines = head.split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: String(parts[0]), value: (parts.last ?? "").trimmingCharacters(in: .whitespaces))
        }
        var request = ReceivedRequest(method: String(words[0]), path: String(words[1]), headers: headers, body: [])
        let length = Int(request.header("content-length") ?? "0") ?? 0
        while buffer.count < length {
            guard receive() else { return nil }
        }
        request.body = Array(buffer.prefix(length))
        buffer.removeFirst(length)
        return request
    }

    private mutating func receive() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        buffer += chunk[..<count]
        // 0x16 is the first byte of a TLS handshake (RFC 8446, section 5.1). The server does not speak TLS, so it
        // closes the connection.
        return buffer.first != 0x16
    }
}
