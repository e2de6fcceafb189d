internal import Glibc

/// A system call that failed.
package struct SystemError: Error, CustomStringConvertible, Sendable {
    /// The call's name, as in section 2 of the manual.
    package let call: String
    /// The value of errno it left.
    package let errno: Int32

    /// Makes an error of a call and the errno it left.
    package init(call: String, errno: Int32) {
        self.call = call
        self.errno = errno
    }

    static func last(_ call: String) -> SystemError {
        SystemError(call: call, errno: Glibc.errno)
    }

    /// The call and what strerror(3) says of its errno.
    package var description: String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(errno, &buffer, buffer.count) == 0 else { return "\(call): errno \(errno)" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return bytes.isEmpty ? "\(call): errno \(errno)" : "\(call): \(String(decoding: bytes, as: UTF8.self))"
    }
}
