internal import Dispatch
internal import Glibc
internal import Reactor
internal import Synchronization

/// Writes log lines to a file descriptor, on a thread of its own and several lines at a time.
///
/// Therefore a call makes no system call, except to wake the thread, and a reader that stalls does not block the
/// process. If ``capacity`` bytes wait beside those that are being written, further lines are dropped, and a line with
/// their number is written later. If the process is killed, the lines of the last few milliseconds are lost.
package final class LogWriter: Sendable {
    /// The maximum number of bytes that wait to be written.
    static let capacity = 1 << 20
    /// The time for which lines are collected before they are written, in microseconds.
    private static let interval: UInt32 = 5000

    private struct State {
        var lines: [UInt8] = []
        var dropped = 0
        /// Whether the thread is running. If not, it must be woken.
        var isAwake = false
        var hasThread = false
    }

    private let descriptor: Int32
    private let dropNotice: @Sendable (Int) -> [UInt8]
    private let state = Mutex(State())
    private let wakeUp = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - descriptor: the file descriptor. It must stay open.
    ///   - dropNotice: returns the line that reports a number of dropped lines.
    package init(_ descriptor: Int32, dropNotice: @escaping @Sendable (Int) -> [UInt8]) {
        self.descriptor = descriptor
        self.dropNotice = dropNotice
    }

    /// Adds a line. Never blocks for long.
    ///
    /// - Parameter line: the line with its line feed.
    package func append(_ line: [UInt8]) {
        let (wakes, starts) = state.withLock { state in
            guard state.lines.count + line.count <= Self.capacity else {
                state.dropped += 1
                return (false, false)
            }
            state.lines.append(contentsOf: line)
            defer { (state.isAwake, state.hasThread) = (true, true) }
            return (!state.isAwake, !state.hasThread)
        }
        if starts { start() }
        if wakes { wakeUp.signal() }
    }

    /// Waits until all lines are written, but not longer than a time limit.
    package func flush(within limit: Duration) {
        let end = ContinuousClock.now + limit
        while state.withLock({ $0.isAwake }), ContinuousClock.now < end { usleep(1000) }
    }

    private func start() {
        do throws(SystemError) {
            try startDetachedThread { self.run() }
        } catch {
            // Without a thread, lines are dropped when the buffer is full.
            Self.write(Array("the log writer could not start: \(error)\n".utf8), to: descriptor)
        }
    }

    private func run() {
        while true {
            wakeUp.wait()
            repeat { usleep(Self.interval) } while writeLines()
        }
    }

    /// Writes the lines that wait.
    ///
    /// - Returns: `false` if there are none. The thread must then wait until it is woken.
    private func writeLines() -> Bool {
        let (lines, dropped) = state.withLock { state in
            defer { (state.lines, state.dropped) = ([], 0) }
            if state.lines.isEmpty, state.dropped == 0 { state.isAwake = false }
            return (state.lines, state.dropped)
        }
        guard !lines.isEmpty || dropped > 0 else { return false }
        Self.write(lines, to: descriptor)
        if dropped > 0 { Self.write(dropNotice(dropped), to: descriptor) }
        return true
    }

    /// Writes bytes, and waits while the reader does not read. If the descriptor fails, for example because the disk is
    /// full, the rest of the bytes is lost.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count >= 0 {
                    written += count
                } else if errno == EAGAIN {
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wait, 1, -1)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}
