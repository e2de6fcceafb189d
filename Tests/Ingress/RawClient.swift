import Contracts
import Glibc

/// An HTTP client on a plain socket. It can send any bytes, including malformed HTTP.
final class RawClient {
    struct Failure: Error {
        let call: String
        let number: Int32
    }

    /// A response as received.
    struct Response {
        let status: Int
        /// The header fields; names are in lower case.
        let fields: [String: String]
        let body: [UInt8]

        var json: JSON? { try? JSON.parse(body) }
        var code: String? { json?["code"]?.string }
    }

    private let socket: Int32
    private var buffer: [UInt8] = []
    /// The number of bytes that ``drain(upTo:)`` has read.
    private(set) var drained = 0

    /// Connects from a random loopback address, so that rate limits per address do not affect other tests.
    ///
    /// - Parameters:
    ///   - port: the server's port on 127.0.0.1.
    ///   - source: the address to connect from. With `::1`, the server's address is `::1`, too.
    ///   - seconds: the timeout of each send and receive.
    ///   - receiveBuffer: the size of the socket's receive buffer; `nil` for the kernel's default.
    init(
        port: Int, from source: String = RawClient.anyLoopback, timeout seconds: Int = 20, receiveBuffer: Int32? = nil
    ) throws {
        let isIPv6 = source == "::1"
        socket = Glibc.socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var receiveBuffer {
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard Self.with(source, 0, { bind(socket, $0, $1) }) == 0 else { throw Failure(call: "bind", number: errno) }
        guard Self.with(isIPv6 ? source : "127.0.0.1", port, { connect(socket, $0, $1) }) == 0 else {
            throw Failure(call: "connect", number: errno)
        }
    }

    deinit { close(socket) }

    static var anyLoopback: String {
        "127.\(Int.random(in: 1...254)).\(Int.random(in: 0...254)).\(Int.random(in: 1...254))"
    }

    /// Calls a closure with an IPv4 socket address (ip(7)): family, port, address, padding; or with that of `::1`
    /// (ipv6(7)): family, port, flow, address, scope.
    private static func with(
        _ text: String, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var bytes: [UInt8] = [UInt8(AF_INET), 0, UInt8(port >> 8), UInt8(port & 0xFF)]
        bytes += text.split(separator: ".").compactMap { UInt8($0) } + Array(repeating: 0, count: 8)
        if text == "::1" {
            bytes = [UInt8(AF_INET6)] + bytes[1..<4] + Array(repeating: 0, count: 19) + [1, 0, 0, 0, 0]
        }
        return bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return -1 }
            return body(base.assumingMemoryBound(to: sockaddr.self), socklen_t(buffer.count))
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(call: "send", number: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Closes the sending direction; receiving still works.
    func finish() { shutdown(socket, Int32(SHUT_WR)) }

    /// Sends a request and returns its response.
    func call(
        _ method: String, _ target: String, token: String? = nil, fields: [String: String] = [:], body: [UInt8]? = nil
    ) throws -> Response {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: warren"]
        if let token { lines.append("Authorization: Bearer \(token)") }
        if let body { lines.append("Content-Length: \(body.count)") }
        for (name, value) in fields { lines.append("\(name): \(value)") }
        try send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (body ?? []))
        return try receive(hasBody: method != "HEAD")
    }

    /// Receives the next response.
    func receive(hasBody: Bool = true) throws -> Response {
        while endOfHead(in: buffer) == nil { try readMore() }
        guard let end = endOfHead(in: buffer) else { throw Failure(call: "parse", number: 0) }
        let lines = String(decoding: buffer[..<end], as: UTF8.self).split(separator: "\r\n")
        buffer.removeFirst(end)
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        let status = lines.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
        let length = hasBody ? fields["content-length"].flatMap { Int($0) } ?? 0 : 0
        while buffer.count < length { try readMore() }
        let body = Array(buffer.prefix(length))
        buffer.removeFirst(length)
        return Response(status: status, fields: fields, body: body)
    }

    /// Waits until the server closes the connection. Returns `false` if the server sends another byte or does not close
    /// the connection within the timeout.
    func isClosed() -> Bool {
        guard buffer.isEmpty else { return false }
        var byte: UInt8 = 0
        let count = recv(socket, &byte, 1, 0)
        return count == 0 || (count < 0 && errno != EAGAIN)
    }

    /// Whether bytes or the end of the connection have been received.
    var hasInput: Bool {
        var byte: UInt8 = 0
        return !buffer.isEmpty || recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) >= 0
    }

    /// Receives and discards bytes.
    ///
    /// - Returns: the number of bytes, 0 at the end of the connection; `nil` if the connection broke.
    func drain(upTo count: Int) -> Int? {
        guard count > 0 else { return 0 }
        var bytes = [UInt8](repeating: 0, count: count)
        let read = recv(socket, &bytes, count, Int32(MSG_WAITALL))
        guard read >= 0 else { return nil }
        drained += read
        return read
    }

    private func endOfHead(in bytes: [UInt8]) -> Int? {
        let emptyLine = Array("\r\n\r\n".utf8)
        guard bytes.count >= 4 else { return nil }
        return (0...(bytes.count - 4)).first { bytes[$0] == 13 && bytes[$0..<($0 + 4)].elementsEqual(emptyLine) }.map {
            $0 + 4
        }
    }

    private func readMore() throws {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = recv(socket, &chunk, chunk.count, 0)
        guard count > 0 else { throw Failure(call: "recv", number: count == 0 ? 0 : errno) }
        buffer += chunk[..<count]
    }
}
