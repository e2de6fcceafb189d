internal import CLinux
internal import Glibc

/// A set of events on a descriptor: the events that have occurred, or the events to watch for.
package struct Readiness: OptionSet, Sendable {
    /// One bit for each of the constants below.
    package let rawValue: UInt8

    /// Makes a set from its bits.
    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Data can be read, or the peer has closed the connection.
    package static let readable = Readiness(rawValue: 1)
    /// Data can be written.
    package static let writable = Readiness(rawValue: 2)
    /// The descriptor has failed, or the peer has hung up. This event is always reported and need not be requested
    /// (epoll_ctl(2)).
    package static let failed = Readiness(rawValue: 4)

    init(epoll events: UInt32) {
        var ready: Readiness = []
        if events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0 { ready.insert(.readable) }
        if events & EPOLLOUT.rawValue != 0 { ready.insert(.writable) }
        if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { ready.insert(.failed) }
        self = ready
    }

    var epoll: UInt32 {
        var events: UInt32 = 0
        if contains(.readable) { events |= EPOLLIN.rawValue }
        if contains(.writable) { events |= EPOLLOUT.rawValue }
        return events
    }
}
