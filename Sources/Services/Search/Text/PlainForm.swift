internal import Utf8proc

/// The plain characters that are indexed in place of a character that is only another form of them: `kg` for `㎏`, `a`
/// for `Ⓐ`, `+` for the wide `＋`, `1⁄2` for `½`.
enum PlainForm {
    /// Returns the plain characters; `nil` if the character is plain, or has a meaning of its own.
    static func of(_ scalar: Unicode.Scalar) -> [Unicode.Scalar]? {
        switch scalar.value {
        case 0x3041...0x3096, 0x30A1...0x30FA, 0x4E00...0x9FFF, 0xAC00...0xD7A3: return nil
        case 0x2120, 0x2122: return nil  // ℠ and ™ are not read as letters of the word before them
        case 0x203C, 0x2049: return nil  // the emoji ‼ and ⁉
        case 0x3131...0x318E, 0xFFA0...0xFFDC: return nil  // Korean letters, which would combine to syllables
        default: break
        }
        // The forms of accents without a letter, such as `´`, begin with a space.
        guard let plain = CompatibilityDecomposition.of(scalar), plain.first != " ",
            scalar.value < 0x1F000 || !scalar.properties.isEmojiPresentation
        else { return nil }
        return plain
    }
}
