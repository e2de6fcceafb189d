internal import Foundation
internal import Glibc

/// TCP sockets on this machine.
enum LoopbackSocket {
    /// Returns a socket that listens on an address of this machine, and its port.
    ///
    /// - Parameter port: the port to listen on; 0 for a free port.
    /// - Throws: `POSIXError`.
    static func listen(on host: String, port: Int) throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(host.contains(":") ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        do {
            return (descriptor, try bindAndListen(descriptor, host, port))
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func bindAndListen(_ descriptor: Int32, _ host: String, _ port: Int) throws -> Int {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let address = list?.pointee else {
            throw POSIXError(.EINVAL)
        }
        defer { freeaddrinfo(list) }
        var length = address.ai_addrlen
        guard bind(descriptor, address.ai_addr, length) == 0, Glibc.listen(descriptor, 64) == 0,
            getsockname(descriptor, address.ai_addr, &length) == 0
        else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        // The port is at the same place in sockaddr_in and sockaddr_in6.
        return address.ai_addr.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            Int(in_port_t(bigEndian: $0.pointee.sin_port))
        }
    }

    /// Returns a socket that is connected to a port of 127.0.0.1; `nil` if the connection fails.
    static func connect(to port: Int) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var server = address(port)
        let code = withUnsafePointer(to: &server) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return address
    }

    /// Sends all bytes.
    ///
    /// - Returns: `false` if the connection has ended.
    static func send(_ bytes: ArraySlice<UInt8>, to socket: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
