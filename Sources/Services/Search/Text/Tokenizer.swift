/// Splits text into words. Posts, searches and highlights all use it, so that their words agree.
struct Tokenizer {
    /// A word of a text. A symbol counts as a word, and so does each character of a script without spaces.
    struct Word: Sendable {
        enum Kind {
            /// A maximal run of letters, marks and digits.
            case word
            /// A character with its marks, of a script that is written without spaces between words.
            case unspaced
            /// An emoji or another symbol. A sequence that is shown as one picture is one symbol.
            case symbol
        }

        /// How a word is connected to the word before it.
        enum Joint {
            case apart
            /// Nothing visible is between the words.
            case direct
            /// A single hyphen or another character that connects parts of a word is between them.
            case connector
            /// An apostrophe is between them.
            case apostrophe
        }

        let kind: Kind
        /// The word in lower case, in UTF-8. Invisible characters are left out, and characters with a ``PlainForm`` are
        /// replaced by it.
        let bytes: [UInt8]
        /// The word's range in the UTF-8 of the text, with the suffix. The words of one character, such as `㍿`, have
        /// the same range.
        let range: Range<Int>
        /// The number of code points, without invisible ones.
        let length: Int
        let hasLetter: Bool
        let hasDigit: Bool
        let joint: Joint
        /// The `#` of a hashtag, or the `.`, `@`, `$` or `+` at the beginning of the word, as in `.NET`.
        let prefix: Unicode.Scalar?
        /// One or two `+` or `#` at the end of the word, as in `C++`, or U+20E3 of a key, as in `1️⃣`; otherwise empty.
        let suffix: String

        /// The lengths of words in the vocabulary, in characters.
        static let vocabularyLengths = 3...40

        /// Whether similar words are searched, too: the word has 3 to 40 characters, at least one of which is a letter.
        var isExpandable: Bool {
            kind == .word && hasLetter && Self.vocabularyLengths.contains(length)
        }

        /// Whether the word is a hashtag.
        var isTag: Bool { prefix == "#" }

        /// The word in lower case, without the prefix and the suffix.
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Calls a function with each word of a text, in order.
    static func forEachWord(in text: String, _ body: (Word) -> Void) {
        var tokenizer = Tokenizer()
        for scalar in text.unicodeScalars {
            if tokenizer.continueWord(with: scalar) { continue }
            tokenizer.width = UTF8.width(scalar)
            if scalar.value >= 0xA0, let plain = PlainForm.of(scalar) {
                tokenizer.add(plain, insteadOf: scalar, body)
            } else {
                tokenizer.add(scalar, body)
            }
            tokenizer.position += tokenizer.width
        }
        tokenizer.endWord(body)
    }

    /// Returns the words of a text, in order.
    static func words(of text: String) -> [Word] {
        var words: [Word] = []
        forEachWord(in: text) { words.append($0) }
        return words
    }

    /// The kind of the word that has begun; `nil` between words.
    private var kind: Word.Kind?
    private var bytes: [UInt8] = []
    private var start = 0
    private var end = 0
    private var length = 0
    private var hasLetter = false
    private var hasDigit = false
    private var endsWithDigit = false
    /// Whether the last digit is raised or otherwise set apart from plain digits, as those of `²`, `①` and `½` are.
    private var endsRaised = false
    /// The beginning of the last character that is not a mark.
    private var lastStart = 0
    private var joint = Word.Joint.apart
    private var prefix: Unicode.Scalar?
    /// The `+` and `#` that follow the word so far. They are a suffix if no letter or digit follows them.
    private var suffix = ""
    /// The number of bytes of the suffix in the text.
    private var suffixWidth = 0
    /// Whether the symbol continues with the next symbol.
    private var isJoining = false
    private var regionalIndicators = 0

    /// The number of bytes before the current character.
    private var position = 0
    /// The number of bytes of the current character.
    private var width = 0
    /// Whether the current character is in the plain form of a character, after the first one.
    private var isContinued = false
    /// The character in whose plain form the current character is.
    private var source: Unicode.Scalar?
    /// The connector after the last word, if nothing else follows it so far.
    private var connector: Unicode.Scalar?
    /// The end of the last word.
    private var lastEnd = -1
    private var lastEndsWithDigit = false
    /// The previous character if it can be the prefix of a word.
    private var nextPrefix: Unicode.Scalar?
    /// Whether a prefix other than `#` can begin: a blank, an opening bracket or nothing is before it.
    private var canBeginPrefix = true
    /// The previous `#` or `*`, which U+20E3 can show as a key, and its beginning.
    private var key: (scalar: Unicode.Scalar, start: Int)?

    private static let longestSuffix = 2
    private static let keycap = "\u{20E3}"
    /// A longer sequence of joined symbols is divided, in bytes.
    private static let longestSymbol = 64

    /// Appends a character if it is a plain letter inside a word, as most characters are.
    private mutating func continueWord(with scalar: Unicode.Scalar) -> Bool {
        let small = scalar.value | 0x20
        guard (0x61...0x7A).contains(small), kind == .word, suffix.isEmpty else { return false }
        bytes.append(UInt8(truncatingIfNeeded: small))
        length += 1
        (hasLetter, endsWithDigit, lastStart) = (true, false, position)
        position += 1
        end = position
        return true
    }

    private mutating func add(
        _ plain: [Unicode.Scalar], insteadOf scalar: Unicode.Scalar, _ body: (Word) -> Void
    ) {
        source = scalar
        for (index, scalar) in plain.enumerated() {
            isContinued = index > 0
            add(scalar, body)
        }
        (isContinued, source) = (false, nil)
    }

    private mutating func add(_ scalar: Unicode.Scalar, _ body: (Word) -> Void) {
        let kind = CharacterKind(scalar)
        switch kind {
        case .letter:
            if self.kind != .word || !suffix.isEmpty { begin(.word, kind, body) }
            append(scalar, kind)
        case .digit:
            let typed = source ?? scalar
            let isRaised = typed.value > 0x7F && typed.properties.isOtherNumber
            // People see 10 and 2 in `10²`, and 1 and a half in `1½`.
            if self.kind != .word || !suffix.isEmpty || (endsWithDigit && isRaised != endsRaised) {
                begin(.word, kind, body)
            }
            append(scalar, kind)
            endsRaised = isRaised
        case .mark:
            if self.kind == nil || !suffix.isEmpty { begin(.word, kind, body) }
            append(scalar, kind)
        case .unspaced:
            begin(.unspaced, kind, body)
            append(scalar, kind)
        case .symbol:
            if self.kind == .symbol, isJoining, bytes.count < Self.longestSymbol {
                bytes.append(contentsOf: Self.joinerBytes)
            } else {
                begin(.symbol, kind, body)
            }
            isJoining = false
            append(scalar, kind)
        case .regionalIndicator:
            if !(self.kind == .symbol && regionalIndicators == 1) { begin(.symbol, kind, body) }
            regionalIndicators += 1
            append(scalar, kind)
        case .joiner:
            isJoining = self.kind == .symbol
            if self.kind == .unspaced { end = position + width }
        case .flagTag:
            if self.kind == .symbol, bytes.count < Self.longestSymbol { append(scalar, kind) }
        case .keycap:
            addKeycap(body)
        case .invisible:
            if self.kind != nil, suffix.isEmpty { end = position + width }
        case .separator:
            separate(scalar, body)
        }
    }

    private static let joinerBytes = Array("\u{200D}".utf8)

    private mutating func begin(_ kind: Word.Kind, _ character: CharacterKind, _ body: (Word) -> Void) {
        if !suffix.isEmpty { endSuffix(before: character) }
        endWord(body)
        self.kind = kind
        start = position
        prefix = kind == .symbol ? nil : nextPrefix
        (nextPrefix, canBeginPrefix, key) = (nil, false, nil)
        if isAdjacent(to: lastEnd) {
            joint = .direct
        } else if let connector, connector != "," || (lastEndsWithDigit && character == .digit) {
            joint = Self.isApostrophe(connector) ? .apostrophe : .connector
        } else {
            joint = .apart
        }
        connector = nil
    }

    /// If a letter or digit follows, `+` and `#` are no suffix, except for a version as in `C++17`.
    private mutating func endSuffix(before character: CharacterKind) {
        if suffix == "#", prefix == "#" { nextPrefix = "#" }
        if character == .symbol || character == .regionalIndicator || suffix == Self.keycap { return }
        if suffix == "++", character == .digit { return }
        (suffix, suffixWidth) = ("", 0)
    }

    /// Whether nothing is between a position in the text and the current character.
    private func isAdjacent(to end: Int) -> Bool { position == end || (isContinued && position + width == end) }

    private mutating func append(_ scalar: Unicode.Scalar, _ kind: CharacterKind) {
        // A mark changes the look of a symbol only.
        if kind == .mark, self.kind == .symbol {
            end = position + width
            return
        }
        switch scalar.value {
        case 0x41...0x5A: bytes.append(UInt8(scalar.value) | 0x20)
        case ..<0x80: bytes.append(UInt8(scalar.value))
        default: appendBeyondASCII(scalar, kind)
        }
        length += 1
        if kind == .letter { hasLetter = true }
        if kind == .digit { hasDigit = true }
        endsWithDigit = kind == .digit
        if kind != .mark { lastStart = position }
        end = position + width
    }

    private mutating func appendBeyondASCII(_ scalar: Unicode.Scalar, _ kind: CharacterKind) {
        switch kind {
        case .letter: bytes.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
        case .digit: bytes.append(contentsOf: (scalar.properties.plainDigits ?? String(scalar)).utf8)
        default: if let encoded = UTF8.encode(scalar) { bytes.append(contentsOf: encoded) }
        }
    }

    /// Makes a key of the digit, `#` or `*` before U+20E3. The word of a digit gets a suffix. The others are symbols.
    private mutating func addKeycap(_ body: (Word) -> Void) {
        let keyEnd = position + width
        if kind == .word, suffix.isEmpty, endsWithDigit, let digit = bytes.last {
            if length > 1 {
                bytes.removeLast()
                length -= 1
                end = lastStart
                endWord(body)
                (kind, bytes, length, hasDigit, endsWithDigit) = (.word, [digit], 1, true, true)
                (start, joint, prefix) = (lastStart, .direct, nil)
            }
            (end, suffix, suffixWidth) = (keyEnd, Self.keycap, 0)
        } else if let key {
            if !suffix.isEmpty {
                suffix.unicodeScalars.removeLast()
                suffixWidth = key.start - end
            }
            begin(.symbol, .symbol, body)
            start = key.start
            bytes.append(contentsOf: (String(key.scalar) + Self.keycap).utf8)
            (end, length) = (keyEnd, 1)
        } else if kind != nil, suffix.isEmpty {
            end = keyEnd
        }
    }

    private mutating func separate(_ scalar: Unicode.Scalar, _ body: (Word) -> Void) {
        if scalar == " " {
            endWord(body)
            lastEnd = -1
            (connector, nextPrefix, canBeginPrefix, key) = (nil, nil, true, nil)
            return
        }
        if kind == .word, scalar == "+" || scalar == "#", suffix.utf8.count < Self.longestSuffix,
            isAdjacent(to: end + suffixWidth)
        {
            suffix.unicodeScalars.append(scalar)
            suffixWidth += width
            key = scalar == "#" ? (scalar, position) : nil
            return
        }
        if kind == .unspaced, Self.isIgnoredBetweenUnspaced(scalar) {
            endWord(body)
            lastEnd = position + width
            return
        }
        let canConnect = kind == .word ? suffix.isEmpty && Self.isConnector(scalar) : kind == .unspaced && scalar == "_"
        let isConnector = canConnect && isAdjacent(to: end)
        let canBePrefix = scalar == "#" || (kind == nil && canBeginPrefix && Self.isPrefix(scalar))
        endWord(body)
        lastEnd = -1
        connector = isConnector ? scalar : nil
        nextPrefix = canBePrefix ? scalar : nil
        canBeginPrefix = Self.canPrecedePrefix(scalar)
        key = scalar == "#" || scalar == "*" ? (scalar, position) : nil
    }

    private mutating func endWord(_ body: (Word) -> Void) {
        guard let kind else { return }
        end += suffixWidth
        if length > 0 {
            body(
                Word(
                    kind: kind, bytes: bytes, range: start..<end, length: length, hasLetter: hasLetter,
                    hasDigit: hasDigit, joint: joint, prefix: prefix, suffix: suffix))
        }
        (lastEnd, lastEndsWithDigit) = (end, endsWithDigit)
        bytes.removeAll(keepingCapacity: true)
        self.kind = nil
        (length, hasLetter, hasDigit, endsWithDigit, endsRaised) = (0, false, false, false, false)
        (suffix, suffixWidth, isJoining, regionalIndicators) = ("", 0, false, 0)
    }

    private static func isPrefix(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ".", "@", "$", "+": true
        default: false
        }
    }

    /// Whether a prefix can follow a character that is not part of a word.
    private static func canPrecedePrefix(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\n", "\r", "\t", "(", "[", "{", "\"", "'": true
        case ..<"\u{80}": false
        default: scalar.properties.isWhitespace || scalar.properties.isOpening
        }
    }

    /// Whether a character between two words can connect them to one word: `e-mail`, `don't`, `v1.2`, `1,000`, `AT&T`.
    private static func isConnector(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "-", ".", ",", "&", "_", "\u{B7}", "\u{2010}"..."\u{2013}", "\u{2212}": true
        default: isApostrophe(scalar)
        }
    }

    private static func isApostrophe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "'", "`", "\u{B4}", "\u{55A}", "\u{2018}", "\u{2019}", "\u{201B}", "\u{2032}": true
        case "\u{5F3}", "\u{5F4}": true  // the geresh and the gershayim of Hebrew
        case "\u{2B9}", "\u{2BB}"..."\u{2BF}", "\u{2C8}", "\u{A78B}", "\u{A78C}": true
        default: false
        }
    }

    /// Whether a character between two characters of a script without spaces does not separate them: the zero width
    /// space, and the dots between the parts of a foreign name in Japanese.
    private static func isIgnoredBetweenUnspaced(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\u{200B}" || scalar == "\u{30FB}" || scalar == "\u{FF65}"
    }
}

extension Unicode.Scalar.Properties {
    /// Whether the character is an opening bracket or quote.
    fileprivate var isOpening: Bool { generalCategory == .openPunctuation || generalCategory == .initialPunctuation }

    /// Whether the character is a number that is not a digit of a script, such as `❶`.
    fileprivate var isOtherNumber: Bool { generalCategory == .otherNumber }

    /// The number in ASCII digits: `3` for `٣` and `३`, `10` for `❿`; `nil` if it is not one of 0 to 20.
    fileprivate var plainDigits: String? {
        guard let value = numericValue, (0...20).contains(value), value == value.rounded() else { return nil }
        return String(Int(value))
    }
}
