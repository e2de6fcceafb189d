internal import CCommonPasswords

/// The passwords that attackers try first. A new password must not be one of them. `README.md` in this folder names
/// the sources.
///
/// The list is text in the program's read-only data. Each line is a password in lower case, and the lines are sorted by
/// their bytes. A search reads a few pages of this memory. The kernel loads a page on demand and can drop it again.
package enum CommonPasswords {
    /// Returns whether the list contains a password, ignoring case.
    package static func contains(_ password: String) -> Bool {
        let wanted = Array(password.lowercased().utf8)
        // The C target returns the start and the length of one constant array, which is never freed or changed.
        let text = UnsafeBufferPointer(start: common_passwords_text(), count: common_passwords_length())
        // `low` and `high` are always at the start of a line or at the end of the text.
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

    /// Returns the line that contains an offset, without its line feed.
    private static func line(at offset: Int, of text: UnsafeBufferPointer<UInt8>) -> Range<Int> {
        let lineFeed = UInt8(ascii: "\n")
        let start = text[..<offset].lastIndex(of: lineFeed).map { $0 + 1 } ?? 0
        return start..<(text[offset...].firstIndex(of: lineFeed) ?? text.count)
    }
}
