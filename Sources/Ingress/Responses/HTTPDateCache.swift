internal import Glibc
internal import Synchronization

/// The `Date` of answers (RFC 9110, section 5.6.7), made once a second.
final class HTTPDate: Sendable {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private struct Last {
        var second: time_t = -1
        var text = ""
    }

    private let last = Mutex(Last())

    /// The date now.
    var now: String {
        let second = time(nil)
        return last.withLock { last in
            if last.second != second { last = Last(second: second, text: Self.text(second)) }
            return last.text
        }
    }

    /// A moment, in seconds since the epoch, as `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func text(_ second: time_t) -> String {
        var second = second
        var parts = tm()
        gmtime_r(&second, &parts)
        let day = days[Int(parts.tm_wday) % 7]
        let month = months[Int(parts.tm_mon) % 12]
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(twoDigits).joined(separator: ":")
        return "\(day), \(twoDigits(parts.tm_mday)) \(month) \(1900 + Int(parts.tm_year)) \(clock) GMT"
    }

    private static func twoDigits(_ number: Int32) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
