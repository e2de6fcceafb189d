/// How the tokenizer treats a character.
enum CharacterKind {
    case letter
    case digit
    /// Changes the character before it, as an accent does.
    case mark
    /// A letter of a script that is written without spaces between words.
    case unspaced
    case symbol
    /// Half of a flag.
    case regionalIndicator
    /// Joins two symbols to one picture: U+200D.
    case joiner
    /// A part of the name of a region, after the symbol of a flag.
    case flagTag
    /// Shows the digit, `#` or `*` before it as a key: U+20E3.
    case keycap
    /// Changes only how other characters look, or is not shown: variation selectors, skin tones, soft hyphens.
    case invisible
    case separator

    init(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x61...0x7A, 0x41...0x5A: self = .letter
        case 0x30...0x39: self = .digit
        case ..<0x80: self = .separator
        default: self = Self.beyondASCII(scalar)
        }
    }

    private static func beyondASCII(_ scalar: Unicode.Scalar) -> CharacterKind {
        switch scalar.value {
        // Blocks of one kind. The properties of a character would take most of the time that a long text takes.
        case 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x24F, 0x400...0x481, 0x48A...0x52F: return .letter
        case 0x3041...0x3096, 0x30A1...0x30FA, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7A3: return .unspaced
        case 0x2B9, 0x2BB...0x2BF, 0x2C8, 0xA78B...0xA78C: return .separator  // letters that are shown as apostrophes
        case 0x200B: return .separator  // the zero width space separates words in Thai and Khmer
        case 0x200D: return .joiner
        case 0x20E3: return .keycap
        case 0x2044, 0x2212, 0x2215: return .separator  // a minus sign and slashes, which count as mathematical symbols
        case 0x1F1E6...0x1F1FF: return .regionalIndicator
        case 0x1F3FB...0x1F3FF: return .invisible  // skin tones
        case 0xE0020...0xE007F: return .flagTag
        // The vowels and final consonants of a decomposed Korean syllable.
        case 0x1160...0x11FF, 0xD7B0...0xD7FF: return .mark
        default: return byProperties(scalar)
        }
    }

    private static func byProperties(_ scalar: Unicode.Scalar) -> CharacterKind {
        let properties = scalar.properties
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter: return .letter
        case .modifierLetter, .otherLetter, .letterNumber:
            if isUnspaced(scalar) { return .unspaced }
            return properties.generalCategory == .letterNumber ? .digit : .letter
        case .decimalNumber, .otherNumber: return .digit
        case .nonspacingMark, .spacingMark: return properties.isDefaultIgnorableCodePoint ? .invisible : .mark
        case .enclosingMark: return .invisible
        case .otherSymbol, .mathSymbol, .currencySymbol: return .symbol
        default:
            if properties.isDefaultIgnorableCodePoint { return .invisible }
            return properties.isEmoji ? .symbol : .separator
        }
    }

    /// Whether a letter belongs to a script that is written without spaces between words. Korean counts as such a
    /// script, because particles follow a word without a space.
    private static func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0E00...0x0EFF,  // Thai, Lao
            0x1000...0x109F, 0xA9E0...0xA9FF, 0xAA60...0xAA7F,  // Burmese
            0x1780...0x17FF,  // Khmer
            0x1100...0x11FF, 0x3130...0x318F, 0xA960...0xA97F, 0xAC00...0xD7AF,  // Korean
            0x3005, 0x3031...0x3035, 0x3040...0x312F, 0x31A0...0x31BF, 0x31F0...0x31FF,  // kana, bopomofo
            0xFF66...0xFFDC:  // half-width kana and Korean letters
            true
        default: scalar.properties.isIdeographic
        }
    }
}
