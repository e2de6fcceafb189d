internal import Glibc

/// A system call that failed.
package struct SystemError: Error, CustomStringConvertible, Sendable {
    /// The name of the call, as in sections 2 and 3 of the manual.
    package let call: String
    /// The value of errno after the call, or the error number that the call returned.
    package let errno: Int32

    /// Makes an error from a call's name and its error number.
    package init(call: String, errno: Int32) {
        self.call = call
        self.errno = errno
    }

    /// Makes an error from the calling thread's errno. Use this directly after the system call that failed.
    package static func last(_ call: String) -> SystemError {
        SystemError(call: call, errno: Glibc.errno)
    }

    /// The name of the call, and the text of strerror(3) for the error number.
    package var description: String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(errno, &buffer, buffer.count) == 0 else { return "\(call): errno \(errno)" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return bytes.isEmpty ? "\(call): errno \(errno)" : "\(call): \(String(decoding: bytes, as: UTF8.self))"
    }
}
