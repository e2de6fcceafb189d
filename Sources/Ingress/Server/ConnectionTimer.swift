internal import NIOCore

/// The timer of a connection's deadlines.
struct ConnectionTimer {
    private var timer: Scheduled<Void>?
    private var deadline = UInt64.max

    /// Arms the timer, unless it is armed for an earlier time. The connection arms it again when it fires, so that not
    /// every request needs a new timer.
    ///
    /// - Parameters:
    ///   - time: the time in nanoseconds.
    ///   - eventLoop: the event loop of the connection, on which the function must be called.
    ///   - fired: called at the time. It must cancel the timer or arm it again.
    mutating func arm(at time: UInt64, on eventLoop: any EventLoop, _ fired: @escaping () -> Void) {
        guard timer == nil || time < deadline else { return }
        timer?.cancel()
        deadline = time
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(time), fired)
    }

    mutating func cancel() {
        timer?.cancel()
        timer = nil
    }
}
