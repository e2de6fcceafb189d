/// Splits text into words. Posts, searches and highlights all use it, so that their words agree.
struct Tokenizer {
    /// A word of a text. A symbol counts as a word, and so does each character of a script without spaces.
    struct Word {
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
        /// The word in lower case, in UTF-8. Invisible characters are left out.
        let bytes: [UInt8]
        /// The word's range in the UTF-8 of the text, with the suffix.
        let range: Range<Int>
        /// The number of code points, without invisible ones.
        let length: Int
        let hasLetter: Bool
        let hasDigit: Bool
        let joint: Joint
        /// Whether the word is a hashtag.
        let isTag: Bool
        /// One or two `+` or `#` at the end of the word, as in `C++`; otherwise empty.
        let suffix: String

        /// The lengths of words in the vocabulary, in characters.
        static let vocabularyLengths = 3...40

        /// Whether similar words are searched, too: the word has 3 to 40 characters, at least one of which is a letter.
        var isExpandable: Bool {
            kind == .word && hasLetter && Self.vocabularyLengths.contains(length)
        }

        /// The word in lower case, without the suffix.
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Calls a function with each word of a text, in order.
    static func forEachWord(in text: String, _ body: (Word) -> Void) {
        var tokenizer = Tokenizer()
        for scalar in text.unicodeScalars { tokenizer.add(scalar, body) }
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
    private var joint = Word.Joint.apart
    private var isTag = false
    /// The `+` and `#` that follow the word so far. They are a suffix if no letter or digit follows them.
    private var suffix = ""
    /// Whether the symbol continues with the next symbol.
    private var isJoining = false
    private var regionalIndicators = 0

    /// The number of bytes so far.
    private var position = 0
    /// The connector after the last word, if nothing else follows it so far.
    private var connector: Unicode.Scalar?
    /// The end of the last word.
    private var lastEnd = -1
    private var lastEndsWithDigit = false
    /// Whether a `#` that can begin a hashtag is the previous character.
    private var followsHash = false

    private static let longestSuffix = 2
    /// A longer sequence of joined symbols is divided, in bytes.
    private static let longestSymbol = 64

    private mutating func add(_ scalar: Unicode.Scalar, _ body: (Word) -> Void) {
        let kind = CharacterKind(scalar)
        switch kind {
        case .letter, .digit:
            if self.kind != .word || !suffix.isEmpty { begin(.word, kind, body) }
            append(scalar, kind)
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
            if self.kind == .unspaced { end = position + UTF8.width(scalar) }
        case .flagTag:
            if self.kind == .symbol, bytes.count < Self.longestSymbol { append(scalar, kind) }
        case .invisible:
            if self.kind != nil, suffix.isEmpty { end = position + UTF8.width(scalar) }
        case .separator:
            separate(scalar, body)
        }
        position += UTF8.width(scalar)
    }

    private static let joinerBytes = Array("\u{200D}".utf8)

    private mutating func begin(_ kind: Word.Kind, _ character: CharacterKind, _ body: (Word) -> Void) {
        // If a letter or digit follows, `+` and `#` are no suffix, except for a version as in `C++17`.
        let continuesTags = suffix == "#" && isTag
        if !(suffix == "++" && character == .digit) { suffix = "" }
        endWord(body)
        if continuesTags { followsHash = true }
        self.kind = kind
        start = position
        isTag = followsHash && kind != .symbol
        followsHash = false
        if position == lastEnd {
            joint = .direct
        } else if let connector, connector != "," || (lastEndsWithDigit && character == .digit) {
            joint = Self.isApostrophe(connector) ? .apostrophe : .connector
        } else {
            joint = .apart
        }
        connector = nil
    }

    private mutating func append(_ scalar: Unicode.Scalar, _ kind: CharacterKind) {
        // A mark changes the look of a symbol only.
        if kind == .mark, self.kind == .symbol {
            end = position + UTF8.width(scalar)
            return
        }
        switch scalar.value {
        case 0x41...0x5A: bytes.append(UInt8(scalar.value) | 0x20)
        case ..<0x80: bytes.append(UInt8(scalar.value))
        default: bytes.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
        }
        length += 1
        if kind == .letter { hasLetter = true }
        if kind == .digit { hasDigit = true }
        endsWithDigit = kind == .digit
        end = position + UTF8.width(scalar)
    }

    private mutating func separate(_ scalar: Unicode.Scalar, _ body: (Word) -> Void) {
        if kind == .word, scalar == "+" || scalar == "#", suffix.utf8.count < Self.longestSuffix,
            position == end + suffix.utf8.count
        {
            suffix.unicodeScalars.append(scalar)
            return
        }
        if kind == .unspaced, Self.isIgnoredBetweenUnspaced(scalar) {
            endWord(body)
            lastEnd = position + UTF8.width(scalar)
            return
        }
        let followsWord = kind == .word && suffix.isEmpty && position == end
        endWord(body)
        connector = followsWord && Self.isConnector(scalar) ? scalar : nil
        followsHash = scalar == "#" || scalar == "\u{FF03}"
    }

    private mutating func endWord(_ body: (Word) -> Void) {
        guard let kind else { return }
        end += suffix.utf8.count
        if length > 0 {
            body(
                Word(
                    kind: kind, bytes: bytes, range: start..<end, length: length, hasLetter: hasLetter,
                    hasDigit: hasDigit, joint: joint, isTag: isTag, suffix: suffix))
        }
        (lastEnd, lastEndsWithDigit) = (end, endsWithDigit)
        bytes.removeAll(keepingCapacity: true)
        self.kind = nil
        (length, hasLetter, hasDigit, endsWithDigit) = (0, false, false, false)
        (suffix, isJoining, regionalIndicators) = ("", false, 0)
    }

    /// Whether a character between two words can connect them to one word: `e-mail`, `don't`, `v1.2`, `1,000`, `AT&T`.
    private static func isConnector(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "-", ".", ",", "&", "_", "\u{B7}", "\u{2010}", "\u{2011}": true
        default: isApostrophe(scalar)
        }
    }

    private static func isApostrophe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "'", "`", "\u{B4}", "\u{2018}", "\u{2019}", "\u{FF07}": true
        default: false
        }
    }

    /// Whether a character between two characters of a script without spaces does not separate them: the zero width
    /// space, and the dots between the parts of a foreign name in Japanese.
    private static func isIgnoredBetweenUnspaced(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\u{200B}" || scalar == "\u{30FB}" || scalar == "\u{FF65}"
    }
}
