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
        let minimal: [UInt8] = [
            0x4D, 0x4D, 0, 0x2A, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0,
        ]
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
        files.append(SamplePicture.gif(with: [0x21, 0xFF, 11] + Array("ICCRGBG1012".utf8) + [3, 1, 2, 3, 0]))
        files.append(SamplePicture.webP(flags: 0x20, with: SamplePicture.webPChunk("ICCP", [1, 2, 3])))
        files.append(SamplePicture.animatedAVIF)
        for file in files { #expect(try ImageFile(file).stored(keepingMetadata: false) == file) }
    }

    @Test("the flags and the length of a WebP without metadata are those of its chunks")
    func webPFlags() throws {
        let file = SamplePicture.webP(flags: 0x2C, with: SamplePicture.webPChunk("EXIF", SamplePicture.tiff(1)))
        #expect(try ImageFile(file).stored(keepingMetadata: false) == SamplePicture.webP(flags: 0x20, with: []))
    }

    @Test("the stored file of an AVIF has zeros in place of metadata, so that no byte of the image moves")
    func avifPositions() throws {
        let file = SamplePicture.avif(items: [.init("Exif", SamplePicture.tiff(6))])
        let stored = try ImageFile(file).stored(keepingMetadata: false)
        #expect(stored.count == file.count)
        #expect(Array(stored.suffix(50)) == Array(file.suffix(50)))
        let blank = [UInt8](repeating: 0, count: SamplePicture.tiff(6).count)
        #expect(Array(stored.dropLast(50).suffix(blank.count)) == blank)
    }

    @Test("a HEIC image throws .heic, and another file of this family throws .unknownFormat")
    func heic() {
        for brand in ["heic", "heix", "mif1", "msf1", "hevc"] {
            let file = SamplePicture.avif(brand: brand, brands: ["miaf"])
            #expect(throws: ImageFault.heic) { try ImageFile(file) }
        }
        #expect(throws: ImageFault.heic) { try ImageFile(SamplePicture.avif(type: "hvc1")) }
        for brand in ["isom", "mp42", "qt  ", "jxl "] {
            #expect(throws: ImageFault.unknownFormat) {
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
        let jpeg = SamplePicture.jpeg(with: Array(repeatElement(comment + [0, 0xFF], count: size / 8).joined()))
        #expect(try ImageFile(jpeg).stored(keepingMetadata: false) == SamplePicture.jpeg)
        let chunk = SamplePicture.pngChunk("tEXt", [0x41, 0])
        let png = SamplePicture.png(with: Array(repeatElement(chunk, count: size / chunk.count).joined()))
        #expect(try ImageFile(png).stored(keepingMetadata: false) == SamplePicture.png)
        let gif = SamplePicture.gif(with: Array(repeatElement([0x21, 0xFE, 1, 0x41, 0], count: size / 5).joined()))
        #expect(try ImageFile(gif).stored(keepingMetadata: false) == SamplePicture.gif)
        let webP = SamplePicture.webP(
            SamplePicture.lossyWebP[12...]
                + Array(repeatElement(SamplePicture.webPChunk("abcd", []), count: size / 8).joined()))
        #expect(try ImageFile(webP).stored(keepingMetadata: false) == SamplePicture.lossyWebP)
        let free = SamplePicture.avifBox("free", [])
        let avif = SamplePicture.avif(between: Array(repeatElement(free, count: size / 8).joined()))
        #expect(try ImageFile(avif).stored(keepingMetadata: false) == avif)
    }
}
