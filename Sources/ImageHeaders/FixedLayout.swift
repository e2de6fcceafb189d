/// The parts of a file in which no byte may move, because the file refers to its data by position.
///
/// If the metadata is left out, zeros take the place of all bytes that belong to no part.
struct FixedLayout {
    private enum Part {
        case kept
        /// Other bytes take the place of the part if the metadata is left out.
        case replaced([UInt8])
        /// Other bytes always take the place of the part.
        case corrected([UInt8])
    }

    /// The maximum number of boxes and entries. No image needs as many. Without this limit, a file of tiny boxes would
    /// take twenty times its size in memory.
    private static let maximumCount = 100_000
    /// The type of a box without a meaning.
    static let freeType: ChunkName = "free"

    private var parts: [(range: Range<Int>, part: Part)] = []
    private var counted = 0
    /// The end of the stored file.
    private(set) var end = 0

    /// Counts a box, or an entry of a list in a box.
    ///
    /// - Throws: `malformed` if there are too many.
    mutating func count() throws(ImageFault) {
        counted += 1
        guard counted <= Self.maximumCount else { throw .malformed }
    }

    /// Keeps a range. Kept ranges may overlap each other.
    mutating func keep(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        if let last = parts.last, case .kept = last.part, last.range.upperBound == range.lowerBound {
            parts[parts.count - 1].range = last.range.lowerBound..<range.upperBound
        } else {
            parts.append((range, .kept))
        }
    }

    /// Keeps a box up to its content.
    mutating func keepHeader(_ box: MediaBox) {
        keep(box.range.lowerBound..<box.content.position)
    }

    /// Replaces the name at a position if the metadata is left out.
    mutating func replaceName(at position: Int, with name: ChunkName) {
        parts.append((position..<(position + 4), .replaced(name.bytes)))
    }

    /// Replaces bytes that are wrong.
    mutating func correct(at position: Int, _ bytes: some Collection<UInt8>) {
        parts.append((position..<(position + bytes.count), .corrected(Array(bytes))))
    }

    /// Turns a box into free space if the metadata is left out.
    mutating func free(_ box: MediaBox) {
        guard box.type != Self.freeType else { return keepHeader(box) }
        let type = box.range.lowerBound + 4
        keep(box.range.lowerBound..<type)
        replaceName(at: type, with: Self.freeType)
        keep((type + 4)..<box.content.position)
    }

    /// Extends the stored file to a position.
    mutating func extend(to position: Int) {
        end = max(end, position)
    }

    /// Returns the pieces of the file up to ``end``.
    ///
    /// - Throws: `malformed` if a part to keep overlaps bytes to replace, because then image data is not between boxes
    ///   but refers to the boxes themselves.
    func pieces() throws(ImageFault) -> FilePieces {
        var pieces = FilePieces()
        var (position, replaced) = (0, 0)
        for (whole, part) in parts.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            guard whole.lowerBound < end else { break }
            let range = whole.clamped(to: 0..<end)
            guard range.lowerBound >= replaced else { throw .malformed }
            if case .kept = part {
                guard range.upperBound > position else { continue }
            } else {
                guard range.lowerBound >= position else { throw .malformed }
                replaced = range.upperBound
            }
            let rest = max(range.lowerBound, position)..<range.upperBound
            pieces.blank(position..<rest.lowerBound)
            switch part {
            case .kept: pieces.keep(rest)
            case .replaced(let bytes): pieces.metadata(rest, replacement: bytes)
            case .corrected(let bytes): pieces.add(bytes)
            }
            position = rest.upperBound
        }
        pieces.blank(position..<max(position, end))
        return pieces
    }
}
