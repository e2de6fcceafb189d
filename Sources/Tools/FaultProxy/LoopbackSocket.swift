internal import CLinux
internal import Foundation
internal import Glibc

/// Returns a port of 127.0.0.1 that no socket has. Another process can take it at any time.
///
/// - Throws: `POSIXError` if the kernel has no socket or no port left.
package func freePort() throws -> Int {
    let (descriptor, port) = try LoopbackSocket.bound(to: "127.0.0.1", port: 0)
    close(descriptor)
    return port
}

/// TCP sockets on this machine. They are closed in the programs that this process starts.
enum LoopbackSocket {
    private static let streamType = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    /// Returns a socket that listens on an address of this machine, and its port.
    ///
    /// - Parameter port: the port to listen on; 0 for a free port.
    /// - Throws: `POSIXError`.
    static func listen(on host: String, port: Int) throws -> (descriptor: Int32, port: Int) {
        let socket = try bound(to: host, port: port)
        // Two sockets without SO_REUSEADDR cannot have the same port, but listen(2) may still fail.
        guard Glibc.listen(socket.descriptor, 64) == 0 else {
            let error = POSIXError.last
            close(socket.descriptor)
            throw error
        }
        return socket
    }

    /// Returns a socket that has an address and a port of this machine and does not listen, and its port.
    static func bound(to host: String, port: Int) throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(host.contains(":") ? AF_INET6 : AF_INET, streamType, 0)
        guard descriptor >= 0 else { throw POSIXError.last }
        do {
            return (descriptor, try bind(descriptor, host, port))
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func bind(_ descriptor: Int32, _ host: String, _ port: Int) throws -> Int {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let address = list?.pointee else {
            throw POSIXError(.EINVAL)
        }
        defer { freeaddrinfo(list) }
        var length = address.ai_addrlen
        guard Glibc.bind(descriptor, address.ai_addr, length) == 0,
            getsockname(descriptor, address.ai_addr, &length) == 0
        else { throw POSIXError.last }
        // The port is at the same place in sockaddr_in and sockaddr_in6.
        return address.ai_addr.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            Int(in_port_t(bigEndian: $0.pointee.sin_port))
        }
    }

    /// Waits for a client.
    ///
    /// - Returns: the client's socket; `nil` with `errno` set if there is none.
    static func accept(_ listener: Int32) -> Int32? {
        let client = accept4(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
        guard client >= 0 else { return nil }
        setNoDelay(client)
        return client
    }

    /// Returns a socket that is connected to a port of 127.0.0.1; `nil` if the connection fails.
    ///
    /// - Parameter isWanted: called repeatedly while the kernel waits for the server. `false` ends the attempt.
    static func connect(to port: Int, while isWanted: () -> Bool = { true }) -> Int32? {
        let descriptor = socket(AF_INET, streamType | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        guard connect(descriptor, to: port, while: isWanted), fcntl(descriptor, F_SETFL, 0) == 0 else {
            close(descriptor)
            return nil
        }
        setNoDelay(descriptor)
        return descriptor
    }

    /// Without this option, the kernel holds small parts back until the peer has acknowledged the earlier ones, which
    /// can take 40 ms (TCP_NODELAY in tcp(7)). Warren's own connections set it, too.
    private static func setNoDelay(_ descriptor: Int32) {
        var isOn: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func connect(_ descriptor: Int32, to port: Int, while isWanted: () -> Bool) -> Bool {
        var server = address(port)
        let code = withUnsafePointer(to: &server) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code != 0 else { return true }
        guard errno == EINPROGRESS else { return false }
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        while poll(&entry, 1, 20) < 1 {
            guard isWanted() else { return false }
        }
        var (error, length) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return address
    }

    /// Waits for bytes.
    ///
    /// - Returns: the number of bytes in the buffer; 0 if the peer sends no more, or the connection has ended.
    static func receive(from socket: Int32, into buffer: inout [UInt8]) -> Int {
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            return max(count, 0)
        }
    }

    /// Sends all bytes.
    ///
    /// - Returns: `false` if the connection has ended.
    static func send(_ bytes: ArraySlice<UInt8>, to socket: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

extension POSIXError {
    /// The error of the last system call.
    fileprivate static var last: POSIXError { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
}
