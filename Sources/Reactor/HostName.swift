internal import Glibc

/// A host name or an IP address.
package struct HostName: Sendable {
    private let text: String

    /// Takes a name or an address. It is not checked.
    package init(_ text: String) {
        self.text = text
    }

    /// Returns the IP addresses of the host, in the order in which they should be tried (getaddrinfo(3)). Blocks while
    /// it waits for the name servers.
    ///
    /// - Returns: an empty array if the name cannot be resolved.
    package func resolve() -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(text, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var entry = list
        while let current = entry?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let code = getnameinfo(
                current.ai_addr, current.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            if code == 0 {
                let length = text.firstIndex(of: 0) ?? text.count
                addresses.append(String(decoding: text[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            entry = current.ai_next
        }
        return addresses
    }
}
