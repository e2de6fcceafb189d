internal import CLinux
internal import Glibc

/// What a descriptor is ready for, or is watched for.
package struct Readiness: OptionSet, Sendable {
    /// One bit for each of the cases below.
    package let rawValue: UInt8

    /// Makes a set of raw bits.
    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// There is something to read, or the peer has closed.
    package static let readable = Readiness(rawValue: 1)
    /// There is room to write.
    package static let writable = Readiness(rawValue: 2)
    /// The descriptor failed or hung up; always reported, never asked for (epoll_ctl(2)).
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
