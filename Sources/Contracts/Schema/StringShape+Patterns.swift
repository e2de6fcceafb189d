// Regular expressions for JSON Schema (ECMA-262) that other engines accept and interpret in the same way. They do not
// use `\s`, `\d` and `\w`, because the meaning of these differs, nor look-ahead, which RE2 and Rust do not have. In
// Python and Perl, `$` also matches before a final line feed, so a validator there can accept a text that the service
// refuses.
extension StringShape {
    /// A string without U+0000, which PostgreSQL cannot store.
    static let withoutNUL = #"^[^\u0000]*$"#

    /// At least one character that is neither white space nor invisible.
    ///
    /// A validator accepts a text that has only invisible characters above U+FFFF, such as tag characters, which the
    /// service refuses. No pattern for them is valid everywhere: engines whose characters have 16 bits (.NET,
    /// JavaScript without the flag `u`) refuse a range of characters above U+FFFF, and engines whose characters are
    /// code points (Rust) refuse a range of surrogates.
    static let notBlank =
        #"[^\t-\r \u0085\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"#
        + #"\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8]"#

    static let uuid = whole("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

    /// An RFC 3339 date-time. The pattern does not check the number of days in the month.
    static let dateTime = whole(
        "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3])(:[0-5][0-9]){2}"
            + #"(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"#)

    /// Returns a pattern that matches the whole string.
    static func whole(_ pattern: String) -> String {
        "^\(pattern)$"
    }
}
