extension ImageFile {
    /// Returns `.avif` for an ISO base media file whose brands include AVIF's.
    ///
    /// - Throws: `heic` if its brands are those of other image files.
    static func avifFormat(of reader: ByteReader) throws(ImageFault) -> ImageHeader.Format {
        var reader = reader
        var content = try reader.box().content
        var brands: Set<ChunkName> = [try content.chunkName()]
        try content.skip(4)
        while content.remaining >= 4 { brands.insert(try content.chunkName()) }
        if !brands.isDisjoint(with: ["avif", "avis"]) { return .avif }
        let others: Set<ChunkName> = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"]
        throw brands.isDisjoint(with: others) ? .unknownFormat : .heic
    }

    /// Reads an AVIF (AV1 Image File Format 1.1): the boxes up to the last one that contains a part of the image. The
    /// size is that of the primary item, after cropping and rotation.
    ///
    /// Boxes refer to image data by its position in the file. Therefore metadata is overwritten with zeros, so that the
    /// image data does not move. The boxes `mdat` and `idat` keep only the bytes to which an image refers.
    static func avif(_ reader: inout ByteReader, _ pieces: inout FilePieces) throws(ImageFault) -> ImageHeader {
        var parser = AVIFParser(fileEnd: reader.end)
        try parser.readBoxes(&reader)
        let header = try parser.header()
        pieces = parser.layout.pieces()
        return header
    }
}

private struct AVIFParser {
    let fileEnd: Int
    private(set) var layout = FixedLayout()
    private var items: AVIFItems?
    private var movie: AVIFMovie?
    private var majorBrand: ChunkName = "avif"
    /// The contents of the boxes `mdat`, in the order of the file.
    private var mediaData: [Range<Int>] = []

    init(fileEnd: Int) {
        self.fileEnd = fileEnd
    }

    mutating func readBoxes(_ reader: inout ByteReader) throws(ImageFault) {
        let type = try reader.box()
        var brands = type.content
        majorBrand = try brands.chunkName()
        keep(type.range)
        while !reader.isAtEnd {
            var rest = reader
            do throws(ImageFault) {
                try read(try reader.box())
            } catch {
                guard items != nil else { throw error }
                // The last box can state more bytes than the file has. Anything else is no part of the image.
                try readLastMediaData(&rest)
                return
            }
        }
    }

    private mutating func read(_ box: MediaBox) throws(ImageFault) {
        switch box.type {
        case "meta" where items == nil:
            items = try AVIFItems(box, &layout)
            layout.extend(to: box.range.upperBound)
        case "moov" where movie == nil:
            movie = try AVIFMovie(box, &layout)
            layout.extend(to: box.range.upperBound)
        case "mdat":
            keepMediaData(header: box.range.lowerBound..<box.content.position, end: box.range.upperBound)
        default:
            layout.free(box)
        }
    }

    private mutating func readLastMediaData(_ reader: inout ByteReader) throws(ImageFault) {
        let start = reader.position
        guard reader.begins(with: "mdat".utf8, after: 4), try reader.bigEndian(4) > 1 else { return }
        try reader.skip(4)
        let size = UInt32(truncatingIfNeeded: fileEnd - start)
        layout.correct(at: start, [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) })
        keepMediaData(header: (start + 4)..<reader.position, end: fileEnd)
    }

    private mutating func keepMediaData(header: Range<Int>, end: Int) {
        layout.keep(header)
        mediaData.append(header.upperBound..<end)
    }

    private mutating func keep(_ range: Range<Int>) {
        layout.keep(range)
        layout.extend(to: range.upperBound)
    }

    /// Returns the header, and keeps the image data.
    mutating func header() throws(ImageFault) -> ImageHeader {
        guard let items else { throw .truncated }
        // A file whose major brand is that of image sequences is shown from its movie.
        guard movie != nil || majorBrand != "avis" else { throw .malformed }
        try keepImageData(items.extents + (movie?.chunks ?? []))
        for extent in items.innerExtents { layout.keep(extent) }
        let primary = try items.primary()
        let frames = max(1, movie?.frames ?? 1)
        let area = max(primary.decodedArea, movie?.frameArea ?? 0)
        return try ImageHeader(
            .avif, primary.size, orientation: primary.isRotated ? Orientation(6) : .upright, frames: frames,
            pixels: area.multipliedSaturating(by: frames))
    }

    /// Keeps ranges of the file, which must be inside the boxes `mdat`.
    private mutating func keepImageData(_ ranges: [Range<Int>]) throws(ImageFault) {
        var boxes = mediaData[...]
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard range.upperBound <= fileEnd else { throw .truncated }
            while let box = boxes.first, box.upperBound <= range.lowerBound { boxes.removeFirst() }
            guard let box = boxes.first, box.lowerBound <= range.lowerBound, range.upperBound <= box.upperBound else {
                throw .malformed
            }
            layout.keep(range)
            layout.extend(to: box.upperBound)
        }
    }
}
