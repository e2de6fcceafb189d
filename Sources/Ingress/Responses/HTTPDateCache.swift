internal import Glibc
internal import Synchronization

/// The value of the `Date` field (RFC 9110, section 5.6.7), formatted once per second.
final class HTTPDateCache: Sendable {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private struct Entry {
        var second: time_t = -1
        var text = ""
    }

    private let entry = Mutex(Entry())

    /// The current time as the value of the field.
    var now: String {
        let second = time(nil)
        return entry.withLock { entry in
            if entry.second != second { entry = Entry(second: second, text: Self.text(second)) }
            return entry.text
        }
    }

    /// Formats a time, in seconds since the epoch, as `Sun, 06 Nov 1994 08:49:37 GMT`.
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
