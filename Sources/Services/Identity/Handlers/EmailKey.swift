internal import ASCII
@_spi(_Unicode) internal import Swift

/// The form of an email address under which its account is stored and found.
enum EmailKey {
    /// Returns the key of an address as a client sends it.
    ///
    /// Keyboards and copied texts add white space and invisible characters around an address, and some systems send
    /// characters in forms that are not composed. Letter case does not distinguish accounts. Every registered address
    /// is ASCII, so no other letters have to be folded. `lower` in PostgreSQL with the collation "C" does the same.
    static func of(_ address: String) -> String {
        let scalars = address.composed.unicodeScalars
        let start = scalars.firstIndex { !isIgnored($0) } ?? scalars.endIndex
        let end = scalars.lastIndex { !isIgnored($0) }.map { scalars.index(after: $0) } ?? scalars.endIndex
        return String(scalars[start..<end]).utf8.lowercasedASCII
    }

    private static func isIgnored(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || [.format, .control].contains(scalar.properties.generalCategory)
    }
}

extension String {
    /// The text in Unicode normalization form C.
    var composed: String {
        guard !utf8.allSatisfy({ $0 < 0x80 }) else { return self }
        var scalars = UnicodeScalarView()
        // The standard library has this normalization for its string comparison. Foundation's normalization would
        // link all of ICU.
        scalars.append(contentsOf: _nfc)
        return String(scalars)
    }
}
