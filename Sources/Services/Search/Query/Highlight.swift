/// Turns a text into HTML that is safe to embed, with the matches in `<mark>`. Of a long text, the HTML has only the
/// fragments with the most matches.
struct Highlight {
    /// The number of words in a fragment.
    static let wordsInFragment = 30
    /// The number of characters in a fragment, if the text is mostly of a script without spaces.
    private static let charactersInFragment = 90
    /// The number of words in a fragment before the match for which the fragment is made. At the start and at the
    /// end of a text, the fragment is shifted so that it does not exceed the text.
    static let leadingWords = 5

    private let bytes: [UInt8]
    private let words: [(range: Range<Int>, isMatch: Bool)]
    private let fragmentLength: Int

    /// Returns the HTML of a text or of its best fragments.
    ///
    /// - Parameters:
    ///   - words: the words of the text.
    ///   - matches: for each word, whether to mark it.
    static func html(_ text: String, _ words: [Tokenizer.Word], matches: [Bool]) -> String {
        let characters = words.count { $0.kind == .unspaced }
        return Highlight(
            bytes: Array(text.utf8), words: zip(words, matches).map { ($0.range, $1) },
            fragmentLength: characters > words.count / 2 ? charactersInFragment : wordsInFragment
        ).html()
    }

    private func html() -> String {
        let fragments = fragments()
        var html: [UInt8] = []
        html.reserveCapacity(bytes.count + 64)
        for (index, fragment) in fragments.enumerated() {
            if index > 0 || fragment.lowerBound > 0 { html += Array("… ".utf8) }
            append(fragment, to: &html)
            if fragment.upperBound < words.count { html += Array(" ".utf8) }
        }
        if let last = fragments.last, last.upperBound < words.count { html += Array("…".utf8) }
        return String(decoding: html, as: UTF8.self)
    }

    /// Appends the words of a fragment with the text between them. A fragment at the start or the end of the
    /// text includes the text before its first or after its last word.
    private func append(_ fragment: Range<Int>, to html: inout [UInt8]) {
        var position = fragment.lowerBound == 0 ? 0 : words[fragment.lowerBound].range.lowerBound
        var marked: Range<Int>?
        func mark() {
            guard let range = marked else { return }
            Self.escape(bytes[position..<range.lowerBound], to: &html)
            html += Array("<mark>".utf8)
            Self.escape(bytes[range], to: &html)
            html += Array("</mark>".utf8)
            position = range.upperBound
        }
        for word in words[fragment] where word.isMatch {
            // Neighbouring characters of a script without spaces get one mark, and so do the words of one character.
            if let range = marked, range.upperBound >= word.range.lowerBound {
                marked = range.lowerBound..<word.range.upperBound
            } else {
                mark()
                marked = word.range
            }
        }
        mark()
        let end = fragment.upperBound == words.count ? bytes.count : words[fragment.upperBound - 1].range.upperBound
        Self.escape(bytes[position..<end], to: &html)
    }

    /// Returns the ranges of words to show, in the order of the text.
    ///
    /// If the text is short, this is the whole text. If no word matches, it is the beginning of the text. Otherwise
    /// it is the fragment with the most matches and, if there is one, the best fragment that does not overlap it.
    private func fragments() -> [Range<Int>] {
        guard words.count > fragmentLength else { return [0..<words.count] }
        var candidates: [(fragment: Range<Int>, matches: Int)] = []
        for index in words.indices where words[index].isMatch {
            let start = max(0, min(index - Self.leadingWords, words.count - fragmentLength))
            let fragment = start..<start + fragmentLength
            candidates.append((fragment, words[fragment].count { $0.isMatch }))
        }
        guard let best = Self.best(of: candidates) else { return [0..<fragmentLength] }
        let others = candidates.filter { !$0.fragment.overlaps(best) }
        return [best, Self.best(of: others)].compactMap(\.self).sorted { $0.lowerBound < $1.lowerBound }
    }

    /// Returns the fragment with the most matches, the first one if several have as many; `nil` if there is none.
    private static func best(of candidates: [(fragment: Range<Int>, matches: Int)]) -> Range<Int>? {
        var best: (fragment: Range<Int>, matches: Int)?
        for candidate in candidates where candidate.matches > best?.matches ?? 0 { best = candidate }
        return best?.fragment
    }

    /// Appends text and escapes the characters that are special in HTML elements and attributes.
    private static func escape(_ bytes: ArraySlice<UInt8>, to html: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "&"): html += Array("&amp;".utf8)
            case UInt8(ascii: "<"): html += Array("&lt;".utf8)
            case UInt8(ascii: ">"): html += Array("&gt;".utf8)
            case UInt8(ascii: "\""): html += Array("&quot;".utf8)
            case UInt8(ascii: "'"): html += Array("&#39;".utf8)
            default: html.append(byte)
            }
        }
    }
}
