internal import Glibc

/// Writes a line without buffering, so that the reader of a pipe sees the progress at once. If the reader has closed
/// the pipe, the line is lost. The process must ignore SIGPIPE, because the signal would otherwise end it.
package func printLine(_ line: String, to descriptor: Int32 = STDOUT_FILENO) {
    var rest = Array("\(line)\n".utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
    }
}
