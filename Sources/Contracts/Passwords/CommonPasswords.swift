/// The passwords that are guessed first, which no account may have; where they come from is in the README beside this.
///
/// They are one text in the program's read-only data: a search reads a few of its pages and keeps nothing in memory.
package enum CommonPasswords {
    /// Whether a password is one of them, whatever its case.
    package static func contains(_ password: String) -> Bool {
        let wanted = Array(password.lowercased().utf8)
        return list.withUTF8Buffer { text in
            // What is looked for is a line between these two places, each the beginning of one or the end of all.
            var (low, high) = (0, text.count)
            while low < high {
                let line = line(at: low + (high - low) / 2, of: text)
                if text[line].elementsEqual(wanted) { return true }
                if text[line].lexicographicallyPrecedes(wanted) {
                    low = line.upperBound + 1
                } else {
                    high = line.lowerBound
                }
            }
            return false
        }
    }

    /// Calls a function with each of them, in the order of their bytes.
    package static func forEach(_ body: (String) -> Void) {
        list.withUTF8Buffer { text in
            for line in text.split(separator: lineFeed) { body(String(decoding: line, as: UTF8.self)) }
        }
    }

    private static let lineFeed = UInt8(ascii: "\n")

    /// The line that a place is in, without its line feed.
    private static func line(at place: Int, of text: UnsafeBufferPointer<UInt8>) -> Range<Int> {
        let start = text[..<place].lastIndex(of: lineFeed).map { $0 + 1 } ?? 0
        return start..<(text[place...].firstIndex(of: lineFeed) ?? text.count)
    }
}
