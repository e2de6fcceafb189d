internal import ASCII

/// The rule for usernames: 3 to 50 ASCII letters, digits, `.`, `_` and `-`.
///
/// Only ASCII is allowed, because Unicode also has letters that look like ASCII letters, invisible characters, and
/// characters that reverse the direction of the text.
package enum Username {
    fileprivate static let length = 3...50

    /// Returns whether a text is a valid username.
    package static func isValid(_ text: String) -> Bool {
        length.contains(text.utf8.count) && hasAllowedCharacters(text)
    }

    fileprivate static func hasAllowedCharacters(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0.isASCIILetterOrDigit || ".-_".utf8.contains($0) }
    }
}

/// Rules for email addresses as clients send them.
package enum EmailAddress {
    /// The maximum length of an address (RFC 5321, section 4.5.3.1.3, without the angle brackets).
    fileprivate static let maximumLength = 254
    /// The maximum length of an address with the characters that are trimmed around it.
    static let maximumUntrimmedLength = 512
    /// The rule that excludes internationalized addresses.
    package static let asciiRule =
        "must be ASCII: write an internationalized domain in its xn-- form; other mailboxes are not supported"

    /// Returns an address without the white space, the invisible characters and the control characters that keyboards
    /// and copied texts add around it.
    package static func trimmed(_ address: String) -> String {
        let scalars = address.unicodeScalars
        guard let start = scalars.firstIndex(where: { !isIgnored($0) }),
            let last = scalars.lastIndex(where: { !isIgnored($0) })
        else { return "" }
        return String(scalars[start...last])
    }

    private static func isIgnored(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        return properties.isWhitespace || properties.isDefaultIgnorableCodePoint
            || [.format, .control].contains(properties.generalCategory)
    }
}

extension Schema where Value == String {
    /// A username, see ``Username``.
    static var username: Schema {
        string(Username.length).matching("[A-Za-z0-9._-]*", "must consist of letters, digits, '.', '_' and '-'") {
            Username.hasAllowedCharacters($0)
        }
    }

    /// An email address: a dot-string, `@`, and a domain of at least two labels (RFC 5321, section 4.1.2). The decoder
    /// trims it (``EmailAddress/trimmed(_:)``).
    ///
    /// Only ASCII is allowed. An internationalized domain is accepted in its ASCII form (`xn--…`, RFC 5890). An
    /// internationalized mailbox (RFC 6531) is refused, because case folding of such names differs between systems.
    static var email: Schema {
        let text = Schema.string(3...EmailAddress.maximumUntrimmedLength).format("email")
        // The pattern allows any characters around the address except visible ASCII. The ASCII rule then refuses
        // visible characters that are not ASCII.
        let around = #"[^\u0000!-~]*"#
        let (maximum, untrimmed) = (EmailAddress.maximumLength, EmailAddress.maximumUntrimmedLength)
        let description =
            "White space and invisible characters around the address are removed. "
            + "The address has at most \(maximum) characters, and the value with the removed ones at most \(untrimmed)."
        return Schema(
            shape: text.shape, read: { text.read($0, &$1).map(EmailAddress.trimmed) }, write: text.write
        ).refined(EmailAddress.asciiRule) { $0.utf8.allSatisfy { $0 < 0x80 } }.matching(
            "\(around)\(atom)(\\.\(atom))*@(\(label)\\.)+\(label)\(around)", "must be an email address"
        ) { isEmail($0) }.documented(pattern: "^\(around)[!-?A-~]{1,64}@").matching(
            "\(around)[!-~]{1,\(maximum)}\(around)", "must have at most \(maximum) characters"
        ) { $0.utf8.count <= maximum }.described(description)
    }

    private static var atom: String { "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+" }
    private static var label: String { "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?" }

    /// A password to set: 8 to 128 code points, and none of ``CommonPasswords``. The JSON Schema contains the second
    /// rule only in words.
    static var newPassword: Schema {
        string(8...128).refined("must not be a commonly used password") { !CommonPasswords.contains($0) }
    }

    /// A password to compare with the one that was set.
    ///
    /// It may be four times as long as ``newPassword``. If the password was set with composed characters (NFC), another
    /// system can send them decomposed (NFD), each as up to four code points.
    static var password: Schema {
        string(1...512)
    }

    private static func isEmail(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].count) else { return false }
        let words = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let labels = parts[1].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2 else { return false }
        return words.allSatisfy { word in
            !word.isEmpty && word.allSatisfy { $0.isASCIILetterOrDigit || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
        }
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                    && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") }
            }
    }
}
