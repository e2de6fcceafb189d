extension ImageFile {
    /// Returns `.avif` for an ISO base media file whose brands include AVIF's.
    ///
    /// - Throws: `heic` if the brands include one of HEIC, or include `mif1` and the primary item or its tiles have the
    ///   type `hvc1`; `unknownFormat` for other brands; `truncated` or `malformed` if the list of brands is incomplete.
    static func avifFormat(of reader: ByteReader) throws(ImageFault) -> ImageHeader.Format {
        var reader = reader
        var content = try reader.box().content
        var brands: Set<ChunkName> = [try content.chunkName()]
        try content.skip(4)
        while content.remaining >= 4 { brands.insert(try content.chunkName()) }
        if !brands.isDisjoint(with: ["avif", "avis"]) { return .avif }
        let heic: Set<ChunkName> = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"]
        if !brands.isDisjoint(with: heic) { throw .heic }
        if brands.contains("mif1"), isPrimaryHEVC(reader) { throw .heic }
        throw .unknownFormat
    }

    /// Returns whether the primary item or its tiles are compressed as HEVC; `false` if the items cannot be read.
    ///
    /// - Parameter reader: a reader of the boxes after the box `ftyp`.
    private static func isPrimaryHEVC(_ reader: ByteReader) -> Bool {
        var (reader, layout) = (reader, FixedLayout())
        while let box = try? reader.nextBox(&layout) {
            if box.type == "meta" { return (try? AVIFItems(box, &layout))?.isPrimaryHEVC ?? false }
        }
        return false
    }

    /// Reads an AVIF (AV1 Image File Format 1.1): the boxes up to the last one that contains a part of the image. The
    /// size is that of the primary item, or that of the movie if the file is an image sequence, after cropping and
    /// rotation.
    ///
    /// Boxes refer to image data by its position in the file. Therefore metadata is overwritten with zeros, so that the
    /// image data does not move. Only the boxes that a decoder needs and the bytes to which the image refers are kept.
    static func avif(_ reader: inout ByteReader, _ pieces: inout FilePieces) throws(ImageFault) -> ImageHeader {
        var parser = AVIFParser(file: reader)
        try parser.readBoxes(&reader)
        let header = try parser.header()
        pieces = try parser.layout.pieces()
        return header
    }
}

private struct AVIFParser {
    /// A reader of the whole file.
    let file: ByteReader
    private(set) var layout = FixedLayout()
    private var items: AVIFItems?
    private var movie: AVIFMovie?
    private var majorBrand: ChunkName = "avif"
    private var brands: Set<ChunkName> = []
    /// The ends of the boxes, in the order of the file.
    private var boxEnds: [Int] = []

    init(file: ByteReader) {
        self.file = file
    }

    mutating func readBoxes(_ reader: inout ByteReader) throws(ImageFault) {
        let type = try reader.box()
        var content = type.content
        majorBrand = try content.chunkName()
        try content.skip(4)
        brands = [majorBrand]
        while content.remaining >= 4 { brands.insert(try content.chunkName()) }
        layout.keep(type.range)
        finishBox(type.range.upperBound, isNeeded: true)
        while !reader.isAtEnd {
            var rest = reader
            do throws(ImageFault) {
                try layout.count()
                try read(try reader.box())
            } catch {
                guard items != nil || movie != nil else { throw error }
                // The last box can state more bytes than the file has. Anything else is no part of the image.
                try readLastMediaData(&rest)
                return
            }
        }
    }

    private mutating func read(_ box: MediaBox) throws(ImageFault) {
        var isNeeded = true
        switch box.type {
        case "meta" where items == nil: items = try AVIFItems(box, &layout)
        case "moov" where movie == nil: movie = try AVIFMovie(box, in: file, &layout)
        case "mdat":
            layout.keepHeader(box)
            isNeeded = false
        default:
            layout.free(box)
            isNeeded = false
        }
        finishBox(box.range.upperBound, isNeeded: isNeeded)
    }

    private mutating func readLastMediaData(_ reader: inout ByteReader) throws(ImageFault) {
        let start = reader.position
        guard reader.begins(with: "mdat".utf8, after: 4) else { return }
        // The size has 32 bits in front of the type, or 64 bits after it.
        let isLong = try reader.bigEndian(4) == 1
        guard reader.remaining >= (isLong ? 12 : 4) else { return }
        try reader.skip(isLong ? 12 : 4)
        let size = (0..<8).map { UInt8(truncatingIfNeeded: (file.end - start) >> (56 - 8 * $0)) }
        if isLong {
            layout.keep(start..<(start + 8))
            layout.correct(at: start + 8, size)
        } else {
            layout.correct(at: start, size.suffix(4))
            layout.keep((start + 4)..<reader.position)
        }
        finishBox(file.end, isNeeded: false)
    }

    private mutating func finishBox(_ end: Int, isNeeded: Bool) {
        boxEnds.append(end)
        if isNeeded { layout.extend(to: end) }
    }

    /// Returns the header, and keeps the image data.
    mutating func header() throws(ImageFault) -> ImageHeader {
        // The brand `avif` promises a picture, and the brand `avis` a sequence of pictures.
        guard items != nil || (movie != nil && !brands.contains("avif")) else { throw .truncated }
        guard movie != nil || !brands.contains("avis") else { throw .malformed }
        let primary = try items?.primary(in: file)
        try keepImageData((items.map { Array($0.ranges) } ?? []) + (movie?.chunks ?? []))
        // A file whose major brand is that of image sequences is shown from its movie.
        let shown = majorBrand == "avis" || primary == nil ? movie?.transforms : primary?.transforms
        guard let shown else { throw .malformed }
        let frames = max(1, movie?.frames ?? 1)
        let area = max(primary?.decodedArea ?? 0, movie?.frameArea ?? 0)
        return try ImageHeader(
            .avif, shown.size, orientation: shown.isRotated ? Orientation(6) : .upright, frames: frames,
            pixels: area.multipliedSaturating(by: frames))
    }

    /// Keeps ranges of the file, which must be inside its boxes. A box that contains image data is kept up to its end.
    private mutating func keepImageData(_ ranges: [Range<Int>]) throws(ImageFault) {
        var ends = boxEnds[...]
        for range in ranges.sorted(by: { $0.upperBound < $1.upperBound }) {
            guard range.upperBound <= file.end else { throw .truncated }
            while let end = ends.first, end < range.upperBound { ends.removeFirst() }
            guard let end = ends.first else { throw .malformed }
            layout.keep(range)
            layout.extend(to: end)
        }
    }
}
