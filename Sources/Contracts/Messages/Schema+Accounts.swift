/// What an account is called: 3 to 50 of ASCII letters, digits, `.`, `_` and `-`. ASCII only, so that no two names look
/// alike and none has characters that cannot be seen or that turn the direction of the text.
package enum Username {
    fileprivate static let length = 3...50

    /// Whether a text may be an account's name.
    package static func isValid(_ text: String) -> Bool {
        length.contains(text.utf8.count) && consistsOfItsCharacters(text)
    }

    fileprivate static func consistsOfItsCharacters(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0.isLetterOrDigit || ".-_".utf8.contains($0) }
    }
}

extension Schema where Value == String {
    /// An account's name, see ``Username``.
    static var username: Schema {
        string(Username.length).matching("[A-Za-z0-9._-]*", "must consist of letters, digits, '.', '_' and '-'") {
            Username.consistsOfItsCharacters($0)
        }
    }

    /// An address of the plain kind (RFC 5321, section 4.1.2): a dot-string and a domain of at least two labels.
    ///
    /// ASCII only: an internationalised domain is taken in its ASCII form (`xn--…`, RFC 5890), and a mailbox that has
    /// none (RFC 6531) is not taken, since nothing folds its case alike everywhere.
    static var email: Schema {
        Schema.string(3...254).format("email").matching(
            "(?=[^@]{1,64}@)\(atom)(\\.\(atom))*@(\(label)\\.)+\(label)",
            "must be an email address"
        ) { isEmail($0) }
    }

    private static var atom: String { "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+" }
    private static var label: String { "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?" }

    /// A password that is being set: 8 to 128 characters, counted as code points as they are sent, and not one of
    /// ``CommonPasswords``, which JSON Schema can tell in words only.
    static var newPassword: Schema {
        string(8...128).refined("must not be a commonly used password") { !CommonPasswords.contains($0) }
    }

    /// A password that is compared with one that was set. It may be longer: where one system composes characters (NFC),
    /// another takes them apart (NFD), into up to four each.
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
            !word.isEmpty && word.allSatisfy { $0.isLetterOrDigit || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
        }
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                    && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }
            }
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
