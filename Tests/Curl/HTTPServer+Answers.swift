import Foundation
import Glibc

extension HTTPServer {
    /// Answers a request. The words of its path select the answer: for example, `/size/100` gets a body of 100 bytes.
    ///
    /// - Returns: whether to keep the connection open.
    func answer(_ request: ReceivedRequest, on client: Int32) -> Bool {
        let words = request.path.split(separator: "/").map(String.init)
        let number = words.count > 1 ? Int(words[1]) ?? 0 : 0
        switch words.first ?? "" {
        case "echo":
            return respond(200, request.body, method: request.method, on: client)
        case "status":
            return respond(number, Array("as asked".utf8), method: request.method, on: client)
        case "size":
            return respond(200, [UInt8](repeating: 7, count: number), method: request.method, on: client)
        case "chunked":
            return send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", on: client)
                && (0..<number).allSatisfy { _ in send("10\r\n0123456789abcdef\r\n", on: client) }
                && send("0\r\n\r\n", on: client)
        case "headers":
            return send(
                "HTTP/1.1 200 OK\r\nETag:  \"a:b\" \r\nSet-Cookie: a\r\nset-cookie: b\r\nEmpty:\r\n", on: client)
                && send("Content-Length: 0\r\n\r\n", on: client)
        case "redirect":
            return send("HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n", on: client)
        case "delay":
            usleep(UInt32(number) * 1000)
            return respond(200, [], method: request.method, on: client)
        case "silence":
            waitUntilClosed(client)
            return false
        case "stall":
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome", on: client)
            waitUntilClosed(client)
            return false
        case "cut":
            _ = send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome", on: client)
            return false
        case "hang-up":
            return false
        case "garbage":
            return send("this is not HTTP\r\n\r\n", on: client) && false
        default:
            return respond(404, [], method: request.method, on: client)
        }
    }

    private func respond(_ status: Int, _ body: [UInt8], method: String, on client: Int32) -> Bool {
        send("HTTP/1.1 \(status) Whatever\r\nContent-Length: \(body.count)\r\n\r\n", on: client)
            && (method == "HEAD" || send(body, on: client))
    }

    private func send(_ text: String, on client: Int32) -> Bool {
        send(Array(text.utf8), on: client)
    }

    private func send(_ bytes: [UInt8], on client: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(client, buffer.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private func waitUntilClosed(_ client: Int32) {
        var byte: UInt8 = 0
        while recv(client, &byte, 1, 0) > 0 {}
    }
}
