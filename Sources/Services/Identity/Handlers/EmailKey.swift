internal import ASCII
internal import Contracts
@_spi(_Unicode) internal import Swift

/// The form of an email address under which its account is stored and found.
enum EmailKey {
    /// Returns the key of an address as a client sends it.
    ///
    /// Some systems send characters in forms that are not composed. Letter case does not distinguish accounts. Every
    /// registered address is ASCII, so no other letters have to be folded. `lower` in PostgreSQL with the collation "C"
    /// does the same.
    ///
    /// - Throws: `invalid` for an address that is not ASCII, because no account can have it.
    static func of(_ address: String) throws(Problem) -> String {
        let text = EmailAddress.trimmed(address.composed)
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { throw Problem.invalid("/email", EmailAddress.asciiRule) }
        return text.utf8.lowercasedASCII
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
