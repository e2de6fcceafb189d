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

    /// Divides a list of texts into batches. The loop runs other jobs between two batches. The texts of a batch have up
    /// to 4,096 bytes together; a longer text is a batch of its own.
    static func batches(of texts: [TokenizedText]) -> [Range<Int>] {
        var batches: [Range<Int>] = []
        var size = 0
        for (index, text) in texts.enumerated() {
            size += text.text.utf8.count
            if let last = batches.last, size <= maximumSizeOnLoop {
                batches[batches.count - 1] = last.lowerBound..<index + 1
            } else {
                batches.append(index..<index + 1)
                size = text.text.utf8.count
            }
        }
        return batches
    }

    /// Divides texts into words, long ones on another thread.
    @Loop static func of(_ texts: [String]) async -> [TokenizedText] {
        let size = texts.reduce(0) { $0 + $1.utf8.count }
        guard size > maximumSizeOnLoop else { return texts.map(Self.init) }
        return await offLoop { texts.map(Self.init) }
    }
}
