/// A piece of a text as HTML that is safe to put in a page, with what was found in `<mark>` elements.
struct Highlight {
    /// How many words a piece has.
    static let length = 30
    /// How many of them come before the first that was found.
    static let lead = 5

    private let bytes: [UInt8]
    private let words: [(place: Range<Int>, isFound: Bool)]

    /// The HTML of a text, or of the one or two pieces of it that show most.
    ///
    /// - Parameter isFound: whether a word is marked.
    static func html(_ text: String, isFound: (WordScanner.Word) -> Bool) -> String {
        var words: [(place: Range<Int>, isFound: Bool)] = []
        WordScanner.forEachWord(in: text) { words.append(($0.place, isFound($0))) }
        return Highlight(bytes: Array(text.utf8), words: words).html()
    }

    private func html() -> String {
        let pieces = pieces()
        var html: [UInt8] = []
        html.reserveCapacity(bytes.count + 64)
        for (index, piece) in pieces.enumerated() {
            if index > 0 || piece.lowerBound > 0 { html += Array("… ".utf8) }
            append(piece, to: &html)
            if piece.upperBound < words.count { html += Array(" ".utf8) }
        }
        if let last = pieces.last, last.upperBound < words.count { html += Array("…".utf8) }
        return String(decoding: html, as: UTF8.self)
    }

    /// Appends the words of a piece with what stands between them; at the text's ends, with what stands there.
    private func append(_ piece: Range<Int>, to html: inout [UInt8]) {
        var position = piece.lowerBound == 0 ? 0 : words[piece.lowerBound].place.lowerBound
        for word in words[piece] where word.isFound {
            Self.escape(bytes[position..<word.place.lowerBound], to: &html)
            html += Array("<mark>".utf8)
            Self.escape(bytes[word.place], to: &html)
            html += Array("</mark>".utf8)
            position = word.place.upperBound
        }
        let end = piece.upperBound == words.count ? bytes.count : words[piece.upperBound - 1].place.upperBound
        Self.escape(bytes[position..<end], to: &html)
    }

    /// All of a short text; of a long one the piece in which most is marked and, apart from it, the next best.
    private func pieces() -> [Range<Int>] {
        guard words.count > Self.length else { return [0..<words.count] }
        var candidates: [(piece: Range<Int>, count: Int)] = []
        for index in words.indices where words[index].isFound {
            let start = max(0, min(index - Self.lead, words.count - Self.length))
            let piece = start..<start + Self.length
            candidates.append((piece, words[piece].count { $0.isFound }))
        }
        guard let best = Self.best(of: candidates) else { return [0..<Self.length] }
        let apart = candidates.filter { !$0.piece.overlaps(best) }
        return [best, Self.best(of: apart)].compactMap(\.self).sorted { $0.lowerBound < $1.lowerBound }
    }

    /// The first of those with most.
    private static func best(of candidates: [(piece: Range<Int>, count: Int)]) -> Range<Int>? {
        var best: (piece: Range<Int>, count: Int)?
        for candidate in candidates where candidate.count > best?.count ?? 0 { best = candidate }
        return best?.piece
    }

    /// Escapes what HTML gives a meaning to, in an element and in an attribute.
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
