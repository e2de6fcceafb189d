internal import Reactor

/// A text and its words.
struct TokenizedText: Sendable {
    /// Texts of up to this size together, in bytes, are divided on the event loop, because a switch to another thread
    /// takes longer.
    private static let maximumSizeOnLoop = 4096

    let text: String
    let words: [Tokenizer.Word]

    init(_ text: String) {
        self.text = text
        words = Tokenizer.words(of: text)
    }

    /// Whether the text is so long that the loop should run other jobs after it.
    var isLong: Bool { text.utf8.count > Self.maximumSizeOnLoop }

    /// Divides texts into words, long ones on another thread.
    @Loop static func of(_ texts: [String]) async -> [TokenizedText] {
        let size = texts.reduce(0) { $0 + $1.utf8.count }
        guard size > maximumSizeOnLoop else { return texts.map(Self.init) }
        return await offLoop { texts.map(Self.init) }
    }
}
