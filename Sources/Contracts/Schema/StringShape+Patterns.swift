// Regular expressions as JSON Schema wants them (ECMA-262), written so that Python, Perl and the like read them alike:
// no `\\s`, `\\d` or `\\w`, which differ, and no `$` alone, which in those stands before a last line feed too.
extension StringShape {
    /// Databases cannot keep U+0000.
    static let withoutNUL = #"^[^\u0000]*$"#

    /// At least one character that is not white space.
    static let notBlank =
        #"[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"#

    static let uuid = whole("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

    /// RFC 3339, but for the lengths of months.
    static let dateTime = whole(
        "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3])(:[0-5][0-9]){2}"
            + #"(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"#)

    /// A pattern that is one for the whole of a string.
    static func whole(_ pattern: String) -> String {
        #"^\#(pattern)$(?!\n)"#
    }
}
