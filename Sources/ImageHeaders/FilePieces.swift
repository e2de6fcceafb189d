/// The pieces of which a stored file consists, in their order.
///
/// Parsers add a piece for each part of the file that they recognize. A part that no piece covers is left out.
struct FilePieces {
    private enum Content {
        case range(Range<Int>)
        case bytes([UInt8])
        case zeros(Int)

        var count: Int {
            switch self {
            case .range(let range): range.count
            case .bytes(let bytes): bytes.count
            case .zeros(let count): count
            }
        }
    }

    private enum Use {
        case always
        case withMetadata
        case withoutMetadata

        func applies(keepingMetadata: Bool) -> Bool { self == .always || (self == .withMetadata) == keepingMetadata }
    }

    /// The maximum number of pieces. No image needs as many. Without this limit, a file in which tiny parts alternate
    /// would take many times its size in memory.
    private static let maximumCount = 100_000

    private var pieces: [(content: Content, use: Use)] = []
    /// Whether there were more pieces than the maximum. The list is then incomplete.
    private(set) var isTooFragmented = false

    /// Keeps a range of the original file.
    mutating func keep(_ range: Range<Int>) {
        append(range, .always)
    }

    /// Keeps a range only if the metadata is kept.
    ///
    /// - Parameter replacement: the bytes that take its place if the metadata is left out.
    mutating func metadata(_ range: Range<Int>, replacement: [UInt8] = []) {
        append(range, .withMetadata)
        append(.bytes(replacement), .withoutMetadata)
    }

    /// Keeps a range only if the metadata is kept. Otherwise, zeros take its place, so that no later byte moves.
    mutating func blank(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        append(range, .withMetadata)
        append(.zeros(range.count), .withoutMetadata)
    }

    /// Adds bytes that the original file does not have at this place.
    mutating func add(_ bytes: [UInt8]) {
        append(.bytes(bytes), .always)
    }

    /// Adds bytes that depend on whether the metadata is kept.
    mutating func add(withMetadata: [UInt8], withoutMetadata: [UInt8]) {
        append(.bytes(withMetadata), .withMetadata)
        append(.bytes(withoutMetadata), .withoutMetadata)
    }

    /// Adds the pieces of another list.
    mutating func add(_ other: FilePieces) {
        for piece in other.pieces {
            if case .range(let range) = piece.content {
                append(range, piece.use)
            } else {
                append(piece.content, piece.use)
            }
        }
        if other.isTooFragmented { isTooFragmented = true }
    }

    /// Returns the size of the file in bytes.
    func count(keepingMetadata: Bool) -> Int {
        pieces.reduce(0) { $0 + ($1.use.applies(keepingMetadata: keepingMetadata) ? $1.content.count : 0) }
    }

    /// Returns the file. It is the original array if no byte changes.
    func assembled(from original: [UInt8], keepingMetadata: Bool) -> [UInt8] {
        let chosen = pieces.filter { $0.use.applies(keepingMetadata: keepingMetadata) }
        if chosen.count == 1, case .range(original.indices) = chosen[0].content { return original }
        var file: [UInt8] = []
        file.reserveCapacity(count(keepingMetadata: keepingMetadata))
        for piece in chosen {
            switch piece.content {
            case .range(let range): file += original[range]
            case .bytes(let bytes): file += bytes
            case .zeros(let count): file += repeatElement(0, count: count)
            }
        }
        return file
    }

    /// Adds a range, or extends the last one, so that a file of many small blocks does not need many pieces.
    private mutating func append(_ range: Range<Int>, _ use: Use) {
        guard !range.isEmpty else { return }
        if let last = pieces.last, last.use == use, case .range(let previous) = last.content,
            previous.upperBound == range.lowerBound
        {
            pieces[pieces.count - 1].content = .range(previous.lowerBound..<range.upperBound)
        } else {
            append(.range(range), use)
        }
    }

    private mutating func append(_ content: Content, _ use: Use) {
        guard content.count > 0 else { return }
        guard pieces.count < Self.maximumCount else { return isTooFragmented = true }
        pieces.append((content, use))
    }
}
