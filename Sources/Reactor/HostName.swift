internal import Glibc

/// Resolves the host names of servers. A driver resolves a name for each connection, so that it finds a server whose
/// address has changed.
package enum HostName {
    /// Returns the IP addresses of a host in the order in which they should be tried; none if the name cannot be
    /// resolved. May block. The default is ``resolve(_:)``; tests replace it.
    ///
    /// The thread of ``onOwnThread(_:)`` does not inherit a task-local value, so read it before the call.
    @TaskLocal package static var resolver: @Sendable (String) -> [String] = resolve

    /// Returns the IP addresses of a host, in the order of getaddrinfo(3). Blocks while it waits for the name servers.
    ///
    /// - Parameter host: a name or an IP address. It is not checked.
    /// - Returns: an empty array if the name cannot be resolved.
    package static func resolve(_ host: String) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
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
