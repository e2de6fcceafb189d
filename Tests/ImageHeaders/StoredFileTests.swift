import ImageHeaders
import TestSupport
import Testing

@Suite("Stored file")
struct StoredFileTests {
    @Test("each file has the size that a browser shows, or is refused", arguments: PictureCase.all)
    func sizes(_ picture: PictureCase) throws {
        guard let size = picture.size else {
            #expect(throws: ImageFault.self) { try ImageFile(picture.file) }
            return
        }
        let header = try ImageFile(picture.file).header
        #expect([header.width, header.height] == [size.width, size.height])
    }

    @Test("a stored file has the header of the upload, and is its own stored file", arguments: PictureCase.all)
    func stability(_ picture: PictureCase) throws {
        guard let file = try? ImageFile(picture.file) else { return }
        for keepsMetadata in [false, true] {
            let bytes = file.stored(keepingMetadata: keepsMetadata)
            let stored = try ImageFile(bytes)
            #expect(stored.header == file.header)
            #expect(stored.stored(keepingMetadata: keepsMetadata) == bytes)
        }
    }

    @Test("a file without metadata is stored byte for byte", arguments: SamplePicture.all.indices)
    func unchanged(_ index: Int) throws {
        let file = SamplePicture.all[index].bytes
        #expect(try ImageFile(file).stored(keepingMetadata: false) == file)
        #expect(try ImageFile(file).stored(keepingMetadata: true) == file)
    }

    @Test("no metadata is in a stored file", arguments: SamplePicture.withMetadata.indices)
    func removal(_ index: Int) throws {
        let (name, file) = SamplePicture.withMetadata[index]
        #expect(file.contains(SamplePicture.mark), "\(name)")
        let stored = try ImageFile(file).stored(keepingMetadata: false)
        #expect(!stored.contains(SamplePicture.mark), "\(name)")
    }

    /// The places that are no metadata: bytes that no part of the image refers to.
    static let surplus: Set<String> = [
        "a text between segments of a JPEG", "a video after a JPEG", "a text after a PNG", "a text after a GIF",
        "a text after a WebP", "a box after an AVIF",
    ]

    @Test(
        "with the setting, metadata stays in a stored file, and surplus bytes do not",
        arguments: SamplePicture.withMetadata.indices)
    func keeping(_ index: Int) throws {
        let (name, file) = SamplePicture.withMetadata[index]
        let stored = try ImageFile(file).stored(keepingMetadata: true)
        #expect(stored.contains(SamplePicture.mark) != Self.surplus.contains(name), "\(name)")
    }

    @Test("EXIF data becomes EXIF data with only the orientation, which is left out if the image is upright")
    func orientation() throws {
        let minimal = SamplePicture.smallestTIFF
        func stored(_ file: [UInt8]) throws -> [UInt8] { try ImageFile(file).stored(keepingMetadata: false) }
        let jpeg = SamplePicture.jpeg(with: SamplePicture.jpegEXIF(SamplePicture.tiff(6)))
        #expect(try stored(jpeg) == SamplePicture.jpeg(with: SamplePicture.jpegEXIF(minimal)))
        let png = SamplePicture.png(with: SamplePicture.pngChunk("eXIf", SamplePicture.tiff(6)))
        #expect(try stored(png) == SamplePicture.png(with: SamplePicture.pngChunk("eXIf", minimal)))
        #expect(
            try stored(SamplePicture.jpeg(with: SamplePicture.jpegEXIF(SamplePicture.tiff(1)))) == SamplePicture.jpeg)
        #expect(
            try stored(SamplePicture.png(with: SamplePicture.pngChunk("eXIf", SamplePicture.tiff(1))))
                == SamplePicture.png)
    }

    @Test("a colour profile, Adobe's colour transform, transparency and animation stay")
    func needed() throws {
        let profile = SamplePicture.jpegSegment(0xE2, Array("ICC_PROFILE\0\u{1}\u{1}profile".utf8))
        let adobe = SamplePicture.jpegSegment(0xEE, Array("Adobe\0\u{64}\0\0\0\0\u{1}".utf8))
        var files = [SamplePicture.jpeg(with: profile + adobe)]
        for name in ["iCCP", "sRGB", "gAMA", "cHRM", "cICP", "tRNS", "pHYs", "bKGD", "acTL"] {
            files.append(SamplePicture.png(with: SamplePicture.pngChunk(name, [0, 0, 0, 1, 0, 0, 0, 0])))
        }
        let loop: [UInt8] = [0x21, 0xFF, 11] + Array("NETSCAPE2.0".utf8) + [3, 1, 0, 0, 0]
        files.append(SamplePicture.gif(with: loop + [0x21, 0xF9, 4, 0, 9, 0, 0, 0]))
        files.append(SamplePicture.animatedWebP())
        files.append(SamplePicture.gif(with: [0x21, 0xFF, 11] + Array("ICCRGBG1012".utf8) + [3, 1, 2, 3, 0]))
        files.append(SamplePicture.webP(flags: 0x20, with: SamplePicture.webPChunk("ICCP", [1, 2, 3])))
        for file in files { #expect(try ImageFile(file).stored(keepingMetadata: false) == file) }
    }

    @Test("the flags and the length of a WebP without metadata are those of its chunks")
    func webPFlags() throws {
        let file = SamplePicture.webP(flags: 0x2C, with: SamplePicture.webPChunk("EXIF", SamplePicture.tiff(1)))
        #expect(try ImageFile(file).stored(keepingMetadata: false) == SamplePicture.webP(flags: 0x20, with: []))
    }

    @Test("the orientation in the first EXIF chunk of a WebP stays if a flag announces the chunk")
    func webPOrientation() throws {
        let minimal = SamplePicture.webPChunk("EXIF", SamplePicture.smallestTIFF)
        func stored(_ flags: UInt8, _ chunks: [UInt8]) throws -> [UInt8] {
            try ImageFile(SamplePicture.webP(flags: flags, with: chunks)).stored(keepingMetadata: false)
        }
        let exif = SamplePicture.webPChunk("EXIF", SamplePicture.tiff(6))
        #expect(try stored(0x2C, exif) == SamplePicture.webP(flags: 0x28, with: minimal))
        let prefixed = SamplePicture.webPChunk("EXIF", Array("Exif\0\0".utf8) + SamplePicture.tiff(6))
        #expect(try stored(0x08, prefixed) == SamplePicture.webP(flags: 0x08, with: minimal))
        let second = SamplePicture.webPChunk("EXIF", SamplePicture.tiff(8))
        #expect(try stored(0x08, exif + second) == SamplePicture.webP(flags: 0x08, with: minimal))
        #expect(try stored(0, exif) == SamplePicture.webP(flags: 0, with: []))
    }

    @Test("the frames of a WebP keep only the chunks of their image")
    func webPFrames() throws {
        let file = SamplePicture.animatedWebP(with: SamplePicture.webPChunk("XMP ", Array(SamplePicture.secret.utf8)))
        #expect(try ImageFile(file).stored(keepingMetadata: false) == SamplePicture.animatedWebP())
        #expect(try ImageFile(file).stored(keepingMetadata: true) == file)
    }

    @Test("the extensions of a GIF keep only the sub-block that decoders read")
    func gifExtensions() throws {
        let loop: [UInt8] = [0x21, 0xFF, 11] + Array("NETSCAPE2.0".utf8) + [3, 1, 2, 0]
        let delay: [UInt8] = [0x21, 0xF9, 4, 0, 9, 0, 0]
        let rest: [UInt8] = [2, 0x41, 0x42]
        for part in [loop, delay] {
            let file = SamplePicture.gif(with: part + rest + [0])
            #expect(try ImageFile(file).stored(keepingMetadata: false) == SamplePicture.gif(with: part + [0]))
            #expect(try ImageFile(file).stored(keepingMetadata: true) == file)
        }
    }

    @Test("the stored file of an AVIF has zeros in place of metadata, so that no byte of the image moves")
    func avifPositions() throws {
        let exif = SamplePicture.big(0) + SamplePicture.tiff(6)
        let file = SamplePicture.avif(items: [.init("Exif", exif)])
        let stored = try ImageFile(file).stored(keepingMetadata: false)
        #expect(stored.count == file.count)
        #expect(Array(stored.suffix(50)) == Array(file.suffix(50)))
        let blank = [UInt8](repeating: 0, count: exif.count)
        #expect(Array(stored.dropLast(50).suffix(blank.count)) == blank)
    }

    @Test("no item of a stored AVIF has the type of EXIF or XMP, because decoders refuse empty EXIF data")
    func avifTypes() throws {
        let exif = SamplePicture.big(0) + SamplePicture.tiff(6)
        let file = SamplePicture.avif(items: [.init("Exif", exif), .init("mime", [1])])
        let stored = try ImageFile(file).stored(keepingMetadata: false)
        for type in ["Exif", "mime"] { #expect(file.contains(type.utf8) && !stored.contains(type.utf8)) }
        #expect(try ImageFile(file).stored(keepingMetadata: true) == file)
    }

    @Test("the transparency of an AVIF stays, and so do its tiles and the frames of its track")
    func avifParts() throws {
        for file in [SamplePicture.alphaAVIF, SamplePicture.animatedAVIF] {
            let stored = try ImageFile(file).stored(keepingMetadata: false)
            let changed = file.indices.filter { file[$0] != stored[$0] }
            // Only the names of the items and of the encoder change.
            #expect(changed.allSatisfy { stored[$0] == 0 } && changed.count < 24)
            #expect(stored.count == file.count)
        }
        let grid = try ImageFile(SamplePicture.gridAVIF)
        let stored = grid.stored(keepingMetadata: false)
        #expect((grid.header.width, grid.header.height, grid.header.pixels) == (128, 64, 128 * 64))
        #expect(SamplePicture.gridAVIF.contains(SamplePicture.mark) && !stored.contains(SamplePicture.mark))
    }

    @Test("a HEIC image throws .heic, and another file of this family throws .unknownFormat")
    func heic() {
        for brand in ["heic", "heix", "hevc"] {
            let file = SamplePicture.avif(brand: brand, brands: ["miaf"])
            #expect(throws: ImageFault.heic) { try ImageFile(file) }
        }
        #expect(throws: ImageFault.heic) { try ImageFile(SamplePicture.avif(type: "hvc1")) }
        #expect(throws: ImageFault.heic) {
            try ImageFile(SamplePicture.avif(brand: "mif1", brands: ["miaf"], type: "hvc1"))
        }
        // A grid of one tile.
        let tile = SamplePicture.avifBox("iref", [0, 0, 0, 0] + SamplePicture.avifBox("dimg", [0, 2, 0, 1, 0, 1]))
        for (brand, brands) in [("mif1", ["miaf"]), ("avif", ["mif1"])] {
            #expect(throws: ImageFault.heic, "\(brand)") {
                try ImageFile(
                    SamplePicture.avif(
                        brand: brand, brands: brands, type: "grid", items: [.init("hvc1", [1])], extra: tile))
            }
        }
        // The items of a file that is cut off cannot be read.
        #expect(throws: ImageFault.unknownFormat) {
            try ImageFile(Array(SamplePicture.avif(brand: "mif1", brands: ["miaf"], type: "hvc1").prefix(60)))
        }
        // `mif1` and `msf1` allow any codec; these files are AV1 without the brand `avif`.
        for brand in ["isom", "mp42", "qt  ", "jxl ", "mif1", "msf1"] {
            #expect(throws: ImageFault.unknownFormat, "\(brand)") {
                try ImageFile(SamplePicture.avif(brand: brand, brands: ["mp41"]))
            }
        }
    }

    @Test("the frames of an animated AVIF count with the size of the image")
    func avifFrames() throws {
        let header = try ImageFile(SamplePicture.animatedAVIF).header
        #expect((header.frames, header.pixels) == (2, 2 * 16 * 9))
        let large = SamplePicture.avif(size: (60_000, 50_000))
        #expect(try ImageFile(large).header.pixels == 3_000_000_000)
        #expect(throws: ImageFault.noPixels) { try ImageFile(SamplePicture.avif(size: (0, 9))) }
    }

    @Test("a later frame of a PNG whose data is cut off is removed, and the PNG announces one frame less")
    func cutFrame() throws {
        let (whole, first) = (PictureCase.animatedPNG(), PictureCase.animatedPNG(frames: 1))
        #expect(try ImageFile(whole).stored(keepingMetadata: false) == whole)
        // The last chunk of data has 31 bytes.
        for count in 1..<31 {
            let file = Array(whole.dropLast(12 + count))
            #expect(try ImageFile(file).stored(keepingMetadata: false) == first, "\(count)")
            #expect(try ImageFile(file).stored(keepingMetadata: true) == first, "\(count)")
        }
        #expect(try ImageFile(Array(whole.dropLast(13))).header == ImageFile(first).header)
    }

    @Test("a later frame of a PNG stays if the file ends after a whole chunk, or after 4 bytes of the next one")
    func wholeChunks() throws {
        let (whole, half) = (PictureCase.animatedPNG(), PictureCase.animatedPNG(dataChunks: 1))
        #expect(try ImageFile(Array(half.dropLast(12))).stored(keepingMetadata: false) == half)
        for count in Array(1...8) + [12] {
            #expect(try ImageFile(Array(whole.dropLast(count))).stored(keepingMetadata: false) == whole, "\(count)")
        }
        // With less than four bytes, the end chunk may be a chunk of data.
        let first = PictureCase.animatedPNG(frames: 1)
        for count in 9...11 {
            #expect(try ImageFile(Array(whole.dropLast(count))).stored(keepingMetadata: false) == first, "\(count)")
        }
    }

    @Test("a PNG that announces an animation and has no whole frame of it becomes a still image")
    func noWholeFrame() throws {
        let announced = SamplePicture.pngChunk("acTL", SamplePicture.big(1) + SamplePicture.big(0))
        let control = SamplePicture.pngChunk("fcTL", [UInt8](repeating: 0, count: 26))
        let data = SamplePicture.pngChunk("fdAT", SamplePicture.big(1) + [1, 2, 3])
        let file = Array(SamplePicture.png(with: announced).dropLast(12)) + control + Array(data.dropLast())
        #expect(try ImageFile(file).stored(keepingMetadata: false) == SamplePicture.png)
    }

    @Test("an AVIF item with more than 15 units before its sequence header is refused", .timeLimit(.minutes(1)))
    func units() throws {
        let delimiter: [UInt8] = [0x12, 0]
        let image = Array(SamplePicture.av1.dropFirst(delimiter.count))
        func picture(_ units: Int) -> [UInt8] {
            PictureCase.tiledAVIF(4000, Self.repeated(delimiter, units * delimiter.count) + image)
        }
        #expect(try ImageFile(picture(15)).header.pixels == 4000 * 16 * 9)
        for units in [16, 128 << 10] {
            #expect(throws: ImageFault.malformed, "\(units)") { try ImageFile(picture(units)) }
        }
    }

    @Test("the transparency that 250 tiles of an AVIF share stays")
    func sharedTransparency() throws {
        let file = PictureCase.tiledAVIF(250, SamplePicture.av1, alphas: 250)
        #expect(try ImageFile(file).stored(keepingMetadata: false) == file)
        #expect(try ImageFile(file).header.pixels == 250 * 16 * 9)
    }

    @Test("a variable-length integer in a sequence header has at most 31 leading zeros")
    func variableLength() throws {
        // A sequence header of 16 by 16 pixels with the duration of a picture (AV1 specification, section 5.5).
        func picture(zeros: Int) -> [UInt8] {
            var bits = Self.bits(0, 5) + Self.bits(1, 1) + Self.bits(0, 64) + Self.bits(1, 1)
            bits += Self.bits(0, zeros) + Self.bits(1, 1) + Self.bits(0, zeros)
            // No model of the decoder and no delay, and one operating point.
            bits += Self.bits(0, 1 + 1 + 5 + 12 + 5)
            bits += Self.bits(3, 4) + Self.bits(3, 4) + Self.bits(15, 4) + Self.bits(15, 4)
            let header = Self.bytes(of: bits)
            let units: [UInt8] = [0x12, 0, 0x0A, UInt8(header.count)]
            return SamplePicture.avif(image: units + header)
        }
        for zeros in [0, 5, 31] { #expect(try ImageFile(picture(zeros: zeros)).header.pixels == 16 * 16, "\(zeros)") }
        #expect(throws: ImageFault.malformed) { try ImageFile(picture(zeros: 32)) }
    }

    /// Returns the bits of a number, the highest one first.
    private static func bits(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> (count - 1 - $0) & 1) }
    }

    /// Returns bytes that begin with some bits and end with zeros.
    private static func bytes(of bits: [UInt8]) -> [UInt8] {
        stride(from: 0, to: bits.count, by: 8).map { start in
            (start..<start + 8).reduce(UInt8(0)) { $0 << 1 | ($1 < bits.count ? bits[$1] : 0) }
        }
    }

    @Test("an end marker that is missing is added")
    func end() throws {
        let files: [(whole: [UInt8], end: Int)] = [
            (SamplePicture.jpeg, 2), (SamplePicture.progressiveJPEG, 2), (SamplePicture.png, 12),
            (SamplePicture.gif, 1),
        ]
        for (whole, end) in files {
            let file = Array(whole.dropLast(end))
            #expect(try ImageFile(file).stored(keepingMetadata: false) == whole)
            #expect(try ImageFile(file).stored(keepingMetadata: true) == whole)
        }
        // The CRC of the image data, and the terminator of the last frame.
        #expect(
            try ImageFile(Array(SamplePicture.png.dropLast(16))).stored(keepingMetadata: false) == SamplePicture.png)
        #expect(try ImageFile(Array(SamplePicture.gif.dropLast(2))).stored(keepingMetadata: false) == SamplePicture.gif)
    }

    @Test("the stored file of 1 MiB of small parts is made in linear time", .timeLimit(.minutes(1)))
    func large() throws {
        let size = 1 << 20
        let comment = SamplePicture.jpegSegment(0xFE, [0x41])
        let jpeg = SamplePicture.jpeg(with: Self.repeated(comment + [0, 0xFF], size / 2))
        #expect(try ImageFile(jpeg).stored(keepingMetadata: false) == SamplePicture.jpeg)
        let png = SamplePicture.png(with: Self.repeated(SamplePicture.pngChunk("tEXt", [0x41, 0]), size))
        #expect(try ImageFile(png).stored(keepingMetadata: false) == SamplePicture.png)
        let gif = SamplePicture.gif(with: Self.repeated([0x21, 0xFE, 1, 0x41, 0], size))
        #expect(try ImageFile(gif).stored(keepingMetadata: false) == SamplePicture.gif)
        let webP = SamplePicture.webP(
            SamplePicture.lossyWebP[12...] + Self.repeated(SamplePicture.webPChunk("abcd", []), size))
        #expect(try ImageFile(webP).stored(keepingMetadata: false) == SamplePicture.lossyWebP)
        let avif = SamplePicture.avif(between: Self.repeated(SamplePicture.avifBox("free", []), size / 2))
        #expect(try ImageFile(avif).stored(keepingMetadata: false) == avif)
    }

    /// Files of 5 MiB in which tiny parts alternate. A worker would need many times their size to note each part.
    static let fragmented: [(name: String, file: [UInt8])] = {
        let size = 5 << 20
        let text = SamplePicture.webPChunk("abcd", [])
        let free = repeated(SamplePicture.avifBox("free", []), size)
        let uuid = repeated(SamplePicture.avifBox("uuid", [1]), size)
        return [
            ("JPEG", SamplePicture.jpeg(with: repeated([0xFF, 0xFE, 0, 2, 0xFF, 0xDB, 0, 2], size))),
            ("GIF", SamplePicture.gif(with: repeated([0x21, 0xFE, 0, 0x21, 0xF9, 4, 0, 0, 0, 0, 0], size))),
            ("PNG", SamplePicture.png(with: repeated(pngParts, size))),
            (
                "WebP",
                SamplePicture.webP(
                    SamplePicture.lossyWebP[12...] + repeated(text + [0x49, 0x43, 0x43, 0x50, 0, 0, 0, 0], size))
            ),
            ("AVIF with free space between its boxes", SamplePicture.avif(between: free)),
            ("AVIF with boxes between its boxes", SamplePicture.avif(between: uuid)),
            ("AVIF with free space in meta", SamplePicture.avif(extra: free)),
            ("AVIF with boxes in meta", SamplePicture.avif(extra: uuid)),
            ("AVIF with boxes in moov", SamplePicture.animatedAVIF(with: free, in: ["moov", "trak", "mdia"])),
        ]
    }()

    private static let pngParts = SamplePicture.pngChunk("tEXt", []) + SamplePicture.pngChunk("gAMA", [])

    @Test("a file of 5 MiB in which more than 100,000 tiny parts alternate is refused", arguments: fragmented.indices)
    func tinyParts(_ index: Int) {
        let (name, file) = Self.fragmented[index]
        #expect(throws: ImageFault.self, "\(name)") { try ImageFile(file) }
    }

    private static func repeated(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
        Array(repeatElement(bytes, count: size / bytes.count).joined())
    }
}
