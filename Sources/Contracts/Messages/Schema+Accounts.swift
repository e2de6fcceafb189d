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

extension Schema where Value == String {
    /// A username, see ``Username``.
    static var username: Schema {
        string(Username.length).matching("[A-Za-z0-9._-]*", "must consist of letters, digits, '.', '_' and '-'") {
            Username.hasAllowedCharacters($0)
        }
    }

    /// An email address: a dot-string, `@`, and a domain of at least two labels (RFC 5321, section 4.1.2).
    ///
    /// Only ASCII is allowed. An internationalized domain is accepted in its ASCII form (`xn--…`, RFC 5890). An
    /// internationalized mailbox (RFC 6531) is refused, because case folding of such names differs between systems.
    static var email: Schema {
        let text = Schema.string(3...254).format("email")
        return text.withCondition(
            text.shape,
            "must be ASCII: write an internationalized domain in its xn-- form; other mailboxes are not supported"
        ) {
            $0.utf8.allSatisfy { $0 < 0x80 }
        }.matching(
            "\(atom)(\\.\(atom))*@(\(label)\\.)+\(label)",
            "must be an email address"
        ) { isEmail($0) }.documented(pattern: "^[^@]{1,64}@")
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
