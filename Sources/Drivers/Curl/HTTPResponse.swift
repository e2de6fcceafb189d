/// A server's complete response.
package struct HTTPResponse: Sendable {
    /// The status code.
    package let status: Int
    /// The header fields in their order, with names as the server wrote them.
    package let headers: [(name: String, value: String)]
    /// The body, decoded from its transfer encoding.
    package let body: [UInt8]

    /// Returns the value of the first header field with the given name, or `nil`. The case of the name is ignored.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }
}
