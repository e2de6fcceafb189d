package import Contracts

/// A list of complete HTTP requests, in the format that `requests.lua` reads.
package struct RequestList: Sendable {
    /// The script for `wrk`.
    package static let script = PackageResources.requests_lua

    private let host: String
    /// The content of the file.
    package private(set) var bytes: [UInt8] = []
    /// The number of requests.
    package private(set) var count = 0

    /// Makes an empty list.
    ///
    /// - Parameter host: the value of the field `Host`.
    package init(host: String) {
        self.host = host
    }

    /// Adds a request without a body.
    package mutating func add(_ method: String, _ path: String, token: String?) {
        add("\(method) \(path) HTTP/1.1\r\n\(fields(token))\r\n", [])
    }

    /// Adds a request with a JSON body.
    package mutating func add(_ method: String, _ path: String, token: String?, json: JSON) {
        add(method, path, token: token, type: "application/json", body: json.serialized())
    }

    /// Adds a request with a body of any type.
    package mutating func add(_ method: String, _ path: String, token: String?, type: String, body: [UInt8]) {
        let bodyFields = "Content-Type: \(type)\r\nContent-Length: \(body.count)\r\n"
        let head = "\(method) \(path) HTTP/1.1\r\n\(fields(token))\(bodyFields)\r\n"
        add(head, body)
    }

    private func fields(_ token: String?) -> String {
        "Host: \(host)\r\n" + (token.map { "Authorization: Bearer \($0)\r\n" } ?? "")
    }

    private mutating func add(_ head: String, _ body: [UInt8]) {
        let head = Array(head.utf8)
        bytes += Array("\(head.count + body.count)\n".utf8) + head + body
        count += 1
    }
}
