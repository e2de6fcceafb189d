import ImageHeaders
import TestSupport
import Testing

/// A file with the size that `ImageHeaders` and Chromium read from it.
struct PictureCase: Sendable, CustomTestStringConvertible {
    enum Browser {
        /// Chromium shows a file that is taken, with the same size and the same pixels as the stored file, and does not
        /// show a file that is refused.
        case agrees
        /// Chromium shows the stored file, but not the whole uploaded file, or not in the same size.
        case showsStored
        /// Chromium shows a part of the file, although the file lacks image data.
        case showsPart
    }

    let name: String
    let file: [UInt8]
    /// The width and the height; `nil` if the file is refused.
    let size: (width: Int, height: Int)?
    var browser = Browser.agrees

    var testDescription: String { name }

    static func taken(
        _ name: String, _ file: [UInt8], _ width: Int = 16, _ height: Int = 9, _ browser: Browser = .agrees
    ) -> PictureCase {
        PictureCase(name: name, file: file, size: (width, height), browser: browser)
    }

    static func refused(_ name: String, _ file: [UInt8], _ browser: Browser = .agrees) -> PictureCase {
        PictureCase(name: name, file: file, size: nil, browser: browser)
    }

    static let all = samples + orientations + ends + between + gif + webP + avif

    private static let samples =
        SamplePicture.all.map { taken("a sample of \($0.type)", $0.bytes) }
        + SamplePicture.withMetadata.map {
            let isTurned = ["EXIF in JPEG", "EXIF in PNG"].contains($0.name)
            let isTurnedBack = $0.name == "a second EXIF segment in JPEG"
            if isTurned || isTurnedBack { return taken($0.name, $0.file, 9, 16) }
            return taken($0.name, $0.file, 16, 9, invalidParts.contains($0.name) ? .showsStored : .agrees)
        } + [
            taken("an animated AVIF", SamplePicture.animatedAVIF),
            taken("an AVIF with transparency", SamplePicture.alphaAVIF),
            taken("an AVIF of two tiles", SamplePicture.gridAVIF, 128, 64),
            taken("an animated WebP", SamplePicture.animatedWebP()),
            taken("a JPEG with restart markers", SamplePicture.restartJPEG, 48, 8),
        ]

    /// The places for metadata in which Chromium refuses a text.
    private static let invalidParts = ["a second canvas in WebP", "a frame in a WebP that is not animated"]

    // MARK: Orientation

    private static let orientations: [PictureCase] =
        (0...9).map { value in
            let (width, height) = (5...8).contains(value) ? (9, 16) : (16, 9)
            return taken("a JPEG with orientation \(value)", exif(SamplePicture.tiff(UInt16(value))), width, height)
        } + [
            taken("a JPEG with orientation 6, little-endian", exif(tiff([(3, 1, 6)], isLittleEndian: true)), 9, 16),
            taken("a JPEG with orientation 6 as a LONG", exif(tiff([(4, 1, 6)]))),
            taken("a JPEG with two values of orientation 6", exif(tiff([(3, 2, 6)]))),
            taken("a JPEG with the orientations 6 and 1", exif(tiff([(3, 1, 6), (3, 1, 1)])), 9, 16),
            taken("a JPEG with the orientations 1 and 6", exif(tiff([(3, 1, 1), (3, 1, 6)]))),
            taken("a JPEG with the orientations 9 and 6", exif(tiff([(3, 1, 9), (3, 1, 6)])), 9, 16),
            taken("a JPEG whose first EXIF segment has orientation 1", jpeg(segment(1) + segment(6))),
            taken("a JPEG whose first EXIF segment has orientation 6", jpeg(segment(6) + segment(1)), 9, 16),
            taken("a JPEG whose first EXIF segment is damaged", jpeg(damagedSegment + segment(6))),
            taken("a JPEG whose first EXIF segment is empty", jpeg(emptySegment + segment(6)), 9, 16),
            taken("a JPEG with EXIF in APP2", jpeg(SamplePicture.jpegSegment(0xE2, exifName + SamplePicture.tiff(6)))),
            taken("a JPEG with a truncated directory", exif(Array(SamplePicture.tiff(6).prefix(22))), 9, 16),
            taken("a JPEG with EXIF before JFIF", inserted(segment(6), into: SamplePicture.jpeg, at: 2), 9, 16),
            taken("a PNG with orientation 3", png(chunk(3))),
            taken("a PNG with orientation 8", png(chunk(8)), 9, 16),
            taken("a PNG whose first EXIF chunk has orientation 1", png(chunk(1) + chunk(6))),
            taken("a PNG whose EXIF chunk has a wrong CRC", png(Array(chunk(6).dropLast()) + [0x5A])),
            taken("a PNG with EXIF of another CRC before", png(Array(chunk(1).dropLast()) + [0x5A] + chunk(6)), 9, 16),
            taken(
                "a PNG with a prefix in its EXIF chunk",
                png(SamplePicture.pngChunk("eXIf", exifName + tiff([(3, 1, 6)])))),
            taken(
                "an AVIF with orientation 6 in EXIF",
                SamplePicture.avif(items: [.init("Exif", SamplePicture.tiff(6))])),
            taken(
                "a GIF on a screen without pixels", patched(SamplePicture.gif, at: 6, [0, 0, 0, 0])),
            taken("a GIF on a screen that is too small", patched(SamplePicture.gif, at: 6, [8, 0, 8, 0])),
            taken("a GIF whose frame begins at 5, 3", patched(SamplePicture.gif, at: 26, [5, 0, 3, 0]), 21, 12),
        ]

    private static let exifName = Array("Exif\0\0".utf8)
    private static let damagedSegment = SamplePicture.jpegSegment(0xE1, exifName + Array("XX*\0".utf8))
    private static let emptySegment = SamplePicture.jpegSegment(0xE1, Array("Exif\0".utf8))

    private static func segment(_ orientation: UInt16) -> [UInt8] {
        SamplePicture.jpegEXIF(SamplePicture.tiff(orientation))
    }

    private static func chunk(_ orientation: UInt16) -> [UInt8] {
        SamplePicture.pngChunk("eXIf", SamplePicture.tiff(orientation))
    }

    private static func exif(_ tiff: [UInt8]) -> [UInt8] { jpeg(SamplePicture.jpegEXIF(tiff)) }

    private static func tiff(
        _ entries: [(type: UInt16, count: UInt32, value: UInt16)], isLittleEndian: Bool = false
    ) -> [UInt8] { SamplePicture.tiff(entries, isLittleEndian: isLittleEndian) }

    // MARK: Ends of files

    private static let ends: [PictureCase] = [
        taken("a JPEG without its end marker", Array(SamplePicture.jpeg.dropLast(2)), 16, 9, .showsStored),
        taken("a JPEG with half of its end marker", Array(SamplePicture.jpeg.dropLast(1)), 16, 9, .showsStored),
        taken("a progressive JPEG without its end marker", Array(SamplePicture.progressiveJPEG.dropLast(2))),
        taken("a JPEG and another JPEG", SamplePicture.jpeg + SamplePicture.progressiveJPEG),
        taken(
            "a JPEG that ends inside a comment", Array(SamplePicture.jpeg.dropLast(2)) + [0xFF, 0xFE, 0x10, 0, 0x41]),
        taken(
            "a JPEG with a reserved marker after its scan",
            Array(SamplePicture.jpeg.dropLast(2)) + SamplePicture.jpegSegment(0xF0, [1, 2]) + [0xFF, 0xD9]),
        refused("a JPEG without scan data", Array(SamplePicture.jpeg.prefix(SamplePicture.jpeg.count - 4))),
        refused("a JPEG that ends before its scan", Array(SamplePicture.jpeg.prefix(120))),
        taken("a PNG without its end chunk", Array(SamplePicture.png.dropLast(12))),
        taken("a PNG with half of its end chunk", Array(SamplePicture.png.dropLast(6))),
        taken("a PNG whose end chunk has no CRC", Array(SamplePicture.png.dropLast(4))),
        taken("a PNG whose end chunk has a wrong CRC", Array(SamplePicture.png.dropLast()) + [0]),
        taken("a PNG whose data has no CRC", Array(SamplePicture.png.dropLast(16))),
        taken("a PNG and another PNG", SamplePicture.png + SamplePicture.png),
        taken("a PNG with zeros after its data", png([0, 0], afterData: true)),
        taken("a PNG with a text after its data", png(Array("<html><script>".utf8), afterData: true)),
        taken(
            "a PNG with an unknown critical chunk after its data",
            png(SamplePicture.pngChunk("ABCD", [1]), afterData: true)),
        refused("a PNG that ends inside its data", Array(SamplePicture.png.prefix(60)), .showsPart),
        refused("a PNG that ends after its header", Array(SamplePicture.png.prefix(33))),
        taken("a GIF without its trailer", Array(SamplePicture.gif.dropLast())),
        taken("a GIF without its last terminator and its trailer", Array(SamplePicture.gif.dropLast(2))),
        taken("a GIF with a zero before its trailer", gif([0])),
        taken("a GIF with a text in place of its trailer", Array(SamplePicture.gif.dropLast()) + Array("<html>".utf8)),
        taken("a GIF that ends inside a comment", Array(SamplePicture.gif.dropLast()) + [0x21, 0xFE, 9, 0x41]),
        taken("a GIF and another GIF", SamplePicture.gif + SamplePicture.gif),
        taken(
            "a GIF that ends inside its second frame",
            Array(SamplePicture.gif.dropLast()) + SamplePicture.gif[25..<50]),
        refused("a GIF without a frame", Array(SamplePicture.gif.prefix(25)) + [0x3B]),
        refused("a GIF with a zero before its frame", SamplePicture.gif(with: [0])),
        refused("a GIF whose frame has no pixels", patched(SamplePicture.gif, at: 30, [0, 0, 0, 0])),
        taken("a WebP and another WebP", SamplePicture.lossyWebP + SamplePicture.losslessWebP),
        taken("a WebP with one byte more", SamplePicture.losslessWebP + [0]),
        taken("a WebP in the extended format with a text after it", SamplePicture.extendedWebP + Array("<html>".utf8)),
        refused("a WebP that states one byte more", patched(SamplePicture.lossyWebP, at: 4, [0x34])),
        refused("a WebP that ends inside its data", Array(SamplePicture.lossyWebP.dropLast(8))),
        refused(
            "a WebP with a text inside its RIFF file", SamplePicture.webP(SamplePicture.lossyWebP[12...] + [1, 2, 3])),
        taken("an AVIF with a zero after it", SamplePicture.avif + [0]),
        taken("an AVIF with a text after it", SamplePicture.avif + Array("<html><script>".utf8)),
        taken("an AVIF and another AVIF", SamplePicture.avif + SamplePicture.avif),
        taken("an AVIF whose mdat states size 0", patched(SamplePicture.avif, at: mediaData, [0, 0, 0, 0])),
        taken("an AVIF whose mdat states more bytes", patched(SamplePicture.avif, at: mediaData, [0, 1, 0, 0])),
        taken("an AVIF whose mdat states more bytes in a size of 64 bits", longMediaData),
        taken("an animated PNG that ends inside its second frame", Array(animatedPNG().dropLast(20))),
        taken("an animated PNG without its end chunk", Array(animatedPNG().dropLast(12))),
        refused("an AVIF that ends inside its data", Array(SamplePicture.avif.dropLast())),
        refused("an AVIF without data", Array(SamplePicture.avif.prefix(mediaData))),
        refused("an animated AVIF that ends inside its data", Array(SamplePicture.animatedAVIF.dropLast())),
    ]

    private static let mediaData = SamplePicture.avif.count - 58

    private static let longMediaData: [UInt8] = {
        let file = SamplePicture.avif(between: [UInt8](repeating: 0, count: 8))
        return patched(file, at: file.count - 66, [0, 0, 0, 1] + Array("mdat".utf8) + [0, 0, 0, 1, 0, 0, 0, 0])
    }()

    /// Makes a PNG whose second frame, which equals the first one, has its data in two chunks.
    ///
    /// - Parameters:
    ///   - frames: the number of frames of the two that the file has, and the number that it announces.
    ///   - dataChunks: the number of data chunks of the two that the second frame has.
    static func animatedPNG(frames: Int = 2, dataChunks: Int = 2) -> [UInt8] {
        let png = SamplePicture.png
        let data = Array(png[41..<76])
        func control(_ number: UInt32) -> [UInt8] {
            let numbers: [UInt32] = [number, 16, 9, 0, 0]
            return SamplePicture.pngChunk("fcTL", numbers.flatMap(SamplePicture.big) + [0, 1, 0, 1, 0, 0])
        }
        var file = Array(png[..<33])
        file += SamplePicture.pngChunk("acTL", SamplePicture.big(UInt32(frames)) + SamplePicture.big(0))
        file += control(0) + png[33..<80]
        if frames > 1 {
            file += control(1) + SamplePicture.pngChunk("fdAT", SamplePicture.big(2) + data.prefix(20))
            if dataChunks > 1 { file += SamplePicture.pngChunk("fdAT", SamplePicture.big(3) + data.dropFirst(20)) }
        }
        return file + png.suffix(12)
    }

    // MARK: Bytes between the parts

    private static let between: [PictureCase] = [
        taken("a JPEG with two zeros between segments", jpeg([0, 0])),
        taken("a JPEG with a text between segments", jpeg(Array("<html><script>".utf8))),
        taken("a JPEG with FF 00 between segments", jpeg([0xFF, 0, 0])),
        taken("a JPEG with fill bytes between segments", jpeg([0xFF, 0xFF, 0xFF])),
        taken("a JPEG with a restart marker between segments", jpeg([0xFF, 0xD0])),
        taken("a JPEG with a comment of length 0", jpeg([0xFF, 0xFE, 0, 0])),
        refused("a JPEG with a zero after its first marker", inserted([0], into: SamplePicture.jpeg, at: 2)),
        refused("a JPEG with a zero before it", [0] + SamplePicture.jpeg),
        taken("a JPEG with FF 01 in data with restart markers", restartJPEG([0xFF, 0x01]), 48, 8),
        taken("a JPEG with FF BF in data with restart markers", restartJPEG([0xFF, 0xBF]), 48, 8),
        taken("a JPEG with FF C8 in data with restart markers", restartJPEG([0xFF, 0xC8]), 48, 8),
        taken("a JPEG with FF 01 in data without restart markers", scan([0xFF, 0x01])),
        taken("a JPEG with FF BF in data without restart markers", scan([0xFF, 0xBF])),
        refused("a JPEG with a reserved marker", jpeg(SamplePicture.jpegSegment(0xF0, [1, 2]))),
        refused("a JPEG with a second start", jpeg([0xFF, 0xD8])),
        taken("a PNG with a chunk whose name is not letters", png(SamplePicture.pngChunk("a1CD", [1]))),
        taken(
            "a PNG with a text whose CRC is wrong",
            png(Array(SamplePicture.pngChunk("tEXt", [0x41, 0]).dropLast()) + [0])),
        refused("a PNG with zeros before its data", png([0, 0])),
        refused("a PNG with an unknown critical chunk", png(SamplePicture.pngChunk("ABCD", [1]))),
        refused("a PNG with a second header", png(Array(SamplePicture.png[8..<33]))),
        refused("a WebP with a chunk before its simple image", webP(first: SamplePicture.webPChunk("abcd", [1, 2]))),
        taken(
            "a WebP with a chunk between canvas and image", extendedWebP(SamplePicture.webPChunk("abcd", [1, 2, 3]))),
        refused("an AVIF with free space before its type", SamplePicture.avifBox("free", []) + SamplePicture.avif),
        taken("an AVIF with free space", SamplePicture.avif(between: SamplePicture.avifBox("free", [1, 2, 3]))),
    ]

    // MARK: WebP

    private static let webP: [PictureCase] = [
        taken("an animated WebP whose frame ends at the edge of its canvas", webP(frameAt: 8, 5), 32, 19),
        refused("an animated WebP whose frame ends 2 pixels to the right of its canvas", webP(frameAt: 9, 5)),
        refused("an animated WebP whose frame ends 2 pixels below its canvas", webP(frameAt: 8, 6)),
        refused("an animated WebP whose frame is far outside of its canvas", webP(frameAt: 200, 200)),
    ]

    /// Makes a WebP of 32 by 19 pixels with a frame of 16 by 9 pixels.
    private static func webP(frameAt left: UInt8, _ top: UInt8) -> [UInt8] {
        let animation = SamplePicture.webPChunk("ANIM", [0, 0, 0, 0, 0, 0])
        var frame = SamplePicture.webPFrame(width: 16, height: 9, image: Array(SamplePicture.losslessWebP[12...]))
        (frame[8], frame[11]) = (left, top)
        return SamplePicture.webP(
            SamplePicture.webPCanvas(width: 32, height: 19, isAnimated: true) + animation + frame)
    }

    // MARK: GIF

    private static let gif: [PictureCase] = [
        taken(
            "a GIF with a text after its delay", gif(extension: [0xF9, 4, 0, 9, 0, 0, 2, 0x41, 0x42, 0]), 16, 9,
            .showsStored),
        taken("a GIF with a short delay", gif(extension: [0xF9, 2, 0, 9, 0]), 16, 9, .showsStored),
        taken("a GIF with a long delay", gif(extension: [0xF9, 6, 0, 9, 0, 0, 0x41, 0x42, 0]), 16, 9, .showsStored),
        taken("a GIF with an empty delay", gif(extension: [0xF9, 0]), 16, 9, .showsStored),
    ]

    private static func gif(extension bytes: [UInt8]) -> [UInt8] { SamplePicture.gif(with: [0x21] + bytes) }

    // MARK: Helpers

    private static func jpeg(_ bytes: [UInt8]) -> [UInt8] { SamplePicture.jpeg(with: bytes) }

    private static func png(_ bytes: [UInt8], afterData: Bool = false) -> [UInt8] {
        SamplePicture.png(with: bytes, afterData: afterData)
    }

    /// The JPEG with restart markers, with bytes before the second marker.
    private static func restartJPEG(_ bytes: [UInt8]) -> [UInt8] {
        inserted(bytes, into: SamplePicture.restartJPEG, at: SamplePicture.restartJPEG.count - 15)
    }

    /// The sample with bytes inside its entropy-coded data.
    private static func scan(_ bytes: [UInt8]) -> [UInt8] {
        inserted(bytes, into: SamplePicture.jpeg, at: SamplePicture.jpeg.count - 3)
    }

    private static func gif(_ bytes: [UInt8]) -> [UInt8] { SamplePicture.gif(with: bytes, afterFrame: true) }

    private static func webP(first chunk: [UInt8]) -> [UInt8] {
        SamplePicture.webP(chunk + SamplePicture.lossyWebP[12...])
    }

    private static func extendedWebP(_ chunk: [UInt8]) -> [UInt8] {
        let canvas = SamplePicture.webPCanvas(width: 16, height: 9, isAnimated: false)
        return SamplePicture.webP(canvas + chunk + SamplePicture.lossyWebP[12...])
    }

    static func inserted(_ bytes: [UInt8], into file: [UInt8], at place: Int) -> [UInt8] {
        Array(file[..<place]) + bytes + file[place...]
    }

    static func patched(_ file: [UInt8], at place: Int, _ bytes: [UInt8]) -> [UInt8] {
        Array(file[..<place]) + bytes + file[(place + bytes.count)...]
    }
}
