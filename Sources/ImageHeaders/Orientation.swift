/// The EXIF orientation of an image: 1 to 8, where 5 to 8 exchange width and height.
struct Orientation: Hashable {
    static let upright = Orientation(1)

    let value: UInt8

    init(_ value: UInt8) {
        self.value = value
    }

    var swapsAxes: Bool { value >= 5 }

    /// Reads the orientation from EXIF data, which has the structure of a TIFF file (EXIF 2.32, section 4.6.2).
    ///
    /// - Returns: the first valid value in the first image file directory, as Chromium does; ``upright`` if there is
    ///   none.
    init(tiff: ByteReader) {
        self = (try? Self.read(tiff)) ?? .upright
    }

    /// Reads the orientation from the content of an EXIF chunk. Some programs put the name of JPEG's segment in front
    /// of the data.
    init(exif: ByteReader) {
        var data = exif
        if data.begins(with: "Exif\0\0".utf8) { try? data.skip(6) }
        self.init(tiff: data)
    }

    /// The smallest EXIF data that has this orientation; `nil` if the orientation is upright.
    var tiff: [UInt8]? {
        guard self != Self.upright else { return nil }
        // A big-endian header and a directory at offset 8, with one entry: tag 0x0112, type SHORT, one value.
        return [0x4D, 0x4D, 0, 0x2A, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0]
    }

    private static func read(_ tiff: ByteReader) throws(ImageFault) -> Orientation? {
        var reader = tiff
        let isLittleEndian: Bool
        switch try reader.bigEndian(4) {
        case 0x4949_2A00: isLittleEndian = true
        case 0x4D4D_002A: isLittleEndian = false
        default: return nil
        }
        func integer(_ count: Int) throws(ImageFault) -> Int {
            isLittleEndian ? try reader.littleEndian(count) : try reader.bigEndian(count)
        }
        let offset = try integer(4)
        guard offset >= 8 else { return nil }
        try reader.skip(offset - 8)
        for _ in 0..<(try integer(2)) {
            let (tag, type, count) = (try integer(2), try integer(2), try integer(4))
            let value = try integer(2)
            try reader.skip(2)
            if tag == 0x0112, type == 3, count == 1, (1...8).contains(value) { return Orientation(UInt8(value)) }
        }
        return nil
    }
}
