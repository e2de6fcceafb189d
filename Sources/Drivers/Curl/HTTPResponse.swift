/// A server's whole response.
package struct HTTPResponse: Sendable {
    /// The status code.
    package let status: Int
    /// The header fields in their order, names as the server wrote them.
    package let headers: [(name: String, value: String)]
    /// The body, decoded from its transfer encoding.
    package let body: [UInt8]

    /// The value of the first header field of a name, in whatever case.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }
}
