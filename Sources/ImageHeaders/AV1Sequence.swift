/// The header of a sequence of frames in AV1 data (AV1 Bitstream & Decoding Process Specification, section 5.5).
enum AV1Sequence {
    private static let headerType: UInt8 = 1
    /// The number of units that are searched for a sequence header. Encoders write it first, or after one delimiter.
    /// Without this limit, many items with the same data would take quadratic time.
    private static let maximumUnits = 16

    /// Returns the maximum size of a frame in the first sequence header.
    ///
    /// - Throws: `malformed` if none of the first 16 units is a sequence header; `truncated` if the data ends before
    ///   the end of that header.
    static func maximumSize(in data: ByteReader) throws(ImageFault) -> ImageHeader.Size {
        var data = data
        for _ in 0..<maximumUnits {
            // An open bitstream unit (section 5.3).
            let header = try data.byte()
            guard header & 0x80 == 0 else { throw .malformed }
            if header & 4 != 0 { try data.skip(1) }
            let content = try data.slice(header & 2 != 0 ? try length(&data) : data.remaining)
            if header >> 3 & 15 == headerType { return try maximumSize(of: content) }
        }
        throw .malformed
    }

    /// Reads the length of a unit (section 4.10.5).
    private static func length(_ data: inout ByteReader) throws(ImageFault) -> Int {
        var value = 0
        for index in 0..<8 {
            let byte = try data.byte()
            value |= Int(byte & 0x7F) << (7 * index)
            if byte & 0x80 == 0 { return value }
        }
        throw .malformed
    }

    private static func maximumSize(of header: ByteReader) throws(ImageFault) -> ImageHeader.Size {
        var bits = BitReader(header)
        try bits.skip(4)  // the profile, and whether the data is one picture
        if try bits.read(1) == 1 {
            try bits.skip(5)  // the level
        } else {
            try skipOperatingPoints(&bits)
        }
        let (widthBits, heightBits) = (try bits.read(4) + 1, try bits.read(4) + 1)
        return ImageHeader.Size(width: try bits.read(widthBits) + 1, height: try bits.read(heightBits) + 1)
    }

    private static func skipOperatingPoints(_ bits: inout BitReader) throws(ImageFault) {
        var delayBits: Int?
        if try bits.read(1) == 1 {
            try bits.skip(64)  // the units of time
            if try bits.read(1) == 1 { try bits.skipVariableLength() }
            if try bits.read(1) == 1 {
                delayBits = try bits.read(5) + 1
                try bits.skip(42)  // the other fields of the decoder model
            }
        }
        let hasDisplayDelay = try bits.read(1) == 1
        for _ in 0...(try bits.read(5)) {
            try bits.skip(12)
            if try bits.read(5) > 7 { try bits.skip(1) }  // the level, and the tier of high levels
            if let delayBits, try bits.read(1) == 1 { try bits.skip(2 * delayBits + 1) }
            if hasDisplayDelay, try bits.read(1) == 1 { try bits.skip(4) }
        }
    }
}

/// Reads bits, the highest bit of each byte first.
private struct BitReader {
    private var bytes: ByteReader
    private var current: UInt8 = 0
    private var remaining = 0

    init(_ bytes: ByteReader) {
        self.bytes = bytes
    }

    /// Reads an integer of `count` bits, at most 32.
    mutating func read(_ count: Int) throws(ImageFault) -> Int {
        var value = 0
        for _ in 0..<count {
            if remaining == 0 { (current, remaining) = (try bytes.byte(), 8) }
            remaining -= 1
            value = value << 1 | Int(current >> UInt8(remaining) & 1)
        }
        return value
    }

    mutating func skip(_ count: Int) throws(ImageFault) {
        for _ in 0..<count { _ = try read(1) }
    }

    /// Skips a `uvlc` integer: n zeros, a one, and n more bits (section 4.10.3). n is at most 31, because the integer
    /// in a sequence header must be less than 2^32 - 1 (section 6.4.3).
    mutating func skipVariableLength() throws(ImageFault) {
        var zeros = 0
        while try read(1) == 0 {
            zeros += 1
            guard zeros < 32 else { throw .malformed }
        }
        try skip(zeros)
    }
}
