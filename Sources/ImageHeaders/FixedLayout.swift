/// The parts of a file in which no byte may move, because the file refers to its data by position.
///
/// If the metadata is left out, zeros take the place of all bytes that are not a part.
struct FixedLayout {
    private enum Part {
        case kept
        /// Other bytes take the place of the part if the metadata is left out.
        case replaced([UInt8])
        /// Other bytes always take the place of the part.
        case corrected([UInt8])
    }

    private var parts: [(range: Range<Int>, part: Part)] = []
    /// The end of the stored file.
    private(set) var end = 0

    mutating func keep(_ range: Range<Int>) {
        if !range.isEmpty { parts.append((range, .kept)) }
    }

    mutating func correct(at position: Int, _ bytes: [UInt8]) {
        parts.append((position..<(position + bytes.count), .corrected(bytes)))
    }

    /// Turns a box into free space if the metadata is left out.
    mutating func free(_ box: MediaBox) {
        let type = (box.range.lowerBound + 4)..<(box.range.lowerBound + 8)
        keep(box.range.lowerBound..<type.lowerBound)
        parts.append((type, .replaced(Array("free".utf8))))
        keep(type.upperBound..<box.content.position)
    }

    /// Extends the stored file to a position.
    mutating func extend(to position: Int) {
        end = max(end, position)
    }

    /// Returns the pieces of the file up to ``end``. Kept parts may overlap each other.
    func pieces() -> FilePieces {
        var pieces = FilePieces()
        var position = 0
        for (range, part) in parts.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            guard range.upperBound > position, range.upperBound <= end else { continue }
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
