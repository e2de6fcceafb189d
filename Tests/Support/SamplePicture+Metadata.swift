extension SamplePicture {
    /// A text that the functions below put into metadata.
    public static let secret = "52.5163N 13.3777E serial 0815"
    /// The beginning of the secret. No published file may contain it.
    public static let mark = Array("52.5163".utf8)

    /// Makes EXIF data with an orientation and the secret.
    ///
    /// - Parameters:
    ///   - entries: the type, the count and the value of each orientation in the directory.
    ///   - isLittleEndian: the byte order.
    public static func tiff(
        _ entries: [(type: UInt16, count: UInt32, value: UInt16)], isLittleEndian: Bool = false
    ) -> [UInt8] {
        func short(_ value: UInt16) -> [UInt8] { isLittleEndian ? little(value) : Array(little(value).reversed()) }
        func long(_ value: UInt32) -> [UInt8] { isLittleEndian ? Array(big(value).reversed()) : big(value) }
        var data = Array((isLittleEndian ? "II" : "MM").utf8) + short(42) + long(8) + short(UInt16(entries.count + 1))
        for entry in entries {
            data += short(0x0112) + short(entry.type) + long(entry.count) + short(entry.value) + [0, 0]
        }
        let text = Array(secret.utf8)
        data += short(0x010F) + short(2) + long(UInt32(text.count)) + long(UInt32(data.count + 16))
        return data + long(0) + text
    }

    /// The smallest EXIF data with orientation 6.
    public static let smallestTIFF: [UInt8] = [
        0x4D, 0x4D, 0, 0x2A, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0,
    ]

    /// Makes EXIF data with a valid orientation and the secret.
    public static func tiff(_ orientation: UInt16) -> [UInt8] { tiff([(3, 1, orientation)]) }

    /// Makes a segment of a JPEG.
    public static func jpegSegment(_ code: UInt8, _ content: [UInt8]) -> [UInt8] {
        [0xFF, code] + Array(little(UInt16(content.count + 2)).reversed()) + content
    }

    /// Makes an EXIF segment of a JPEG.
    public static func jpegEXIF(_ tiff: [UInt8]) -> [UInt8] { jpegSegment(0xE1, Array("Exif\0\0".utf8) + tiff) }

    /// Inserts bytes into a JPEG after its JFIF segment.
    public static func jpeg(with bytes: [UInt8]) -> [UInt8] { Array(jpeg[..<20]) + bytes + jpeg[20...] }

    /// Inserts bytes into a PNG, before or after the image data.
    public static func png(with bytes: [UInt8], afterData: Bool = false) -> [UInt8] {
        let place = afterData ? png.count - 12 : 33
        return Array(png[..<place]) + bytes + png[place...]
    }

    /// Inserts bytes into a GIF, before its frame or after it.
    public static func gif(with bytes: [UInt8], afterFrame: Bool = false) -> [UInt8] {
        let place = afterFrame ? gif.count - 1 : 25
        return Array(gif[..<place]) + bytes + gif[place...]
    }

    /// Makes a WebP in the extended format with further chunks.
    public static func webP(flags: UInt8, with chunks: [UInt8]) -> [UInt8] {
        var canvas = webPCanvas(width: 16, height: 9, isAnimated: false)
        canvas[8] = flags
        return webP(canvas + lossyWebP[12...] + chunks)
    }

    /// A file of each format with the secret in each place for metadata.
    public static let withMetadata = jpegMetadata + pngMetadata + gifMetadata + webPMetadata + avifMetadata

    private static let jpegMetadata: [(name: String, file: [UInt8])] = [
        ("EXIF in JPEG", jpeg(with: jpegEXIF(tiff(6)))),
        ("XMP in JPEG", jpeg(with: jpegSegment(0xE1, Array("http://ns.adobe.com/xap/1.0/\0<x>\(secret)</x>".utf8)))),
        ("IPTC in JPEG", jpeg(with: jpegSegment(0xED, Array("Photoshop 3.0\08BIM\(secret)".utf8)))),
        ("a comment in JPEG", jpeg(with: jpegSegment(0xFE, Array(secret.utf8)))),
        ("a list of pictures in JPEG", jpeg(with: jpegSegment(0xE2, Array("MPF\0\(secret)".utf8)))),
        ("a preview in JPEG", jpeg(with: jpegSegment(0xE0, Array("JFXX\0\(secret)".utf8)))),
        ("a preview in the JFIF segment of a JPEG", jpegWithPreview),
        ("content credentials in JPEG", jpeg(with: jpegSegment(0xEB, Array("JP\(secret)".utf8)))),
        ("a second EXIF segment in JPEG", jpeg(with: jpegEXIF(tiff(8)) + jpegEXIF(tiff(6)))),
        ("EXIF after the scan of a JPEG", Array(jpeg.dropLast(2)) + jpegEXIF(tiff(6)) + jpeg.suffix(2)),
        ("EXIF between the scans of a JPEG", betweenScans(jpegEXIF(tiff(6)))),
        ("a text between segments of a JPEG", jpeg(with: Array(secret.utf8))),
        ("a video after a JPEG", jpeg + Array(secret.utf8)),
    ]

    private static let pngMetadata: [(name: String, file: [UInt8])] = [
        ("EXIF in PNG", png(with: pngChunk("eXIf", tiff(6)))),
        ("EXIF after the data of a PNG", png(with: pngChunk("eXIf", tiff(6)), afterData: true)),
        ("a text in PNG", png(with: pngChunk("tEXt", Array("Comment\0\(secret)".utf8)))),
        ("a compressed text in PNG", png(with: pngChunk("zTXt", Array("Comment\0\0\(secret)".utf8)))),
        ("XMP in PNG", png(with: pngChunk("iTXt", Array("XML:com.adobe.xmp\0\0\0\0\0\(secret)".utf8)))),
        ("a time in PNG", png(with: pngChunk("tIME", Array(secret.utf8.prefix(7))))),
        ("content credentials in PNG", png(with: pngChunk("caBX", Array(secret.utf8)))),
        ("an unknown chunk in PNG", png(with: pngChunk("prVt", Array(secret.utf8)))),
        ("a text after a PNG", png + Array(secret.utf8)),
    ]

    private static let gifMetadata: [(name: String, file: [UInt8])] = [
        ("a comment in GIF", gif(with: [0x21, 0xFE] + gifBlock(secret) + [0])),
        ("a comment after the frame of a GIF", gif(with: [0x21, 0xFE] + gifBlock(secret) + [0], afterFrame: true)),
        (
            "a plain text in GIF",
            gif(with: [0x21, 0x01] + gifBlock(String(repeating: " ", count: 12)) + gifBlock(secret) + [0])
        ),
        (
            "a text after the repetitions of a GIF",
            gif(with: [0x21, 0xFF] + gifBlock("NETSCAPE2.0") + [3, 1, 2, 0] + gifBlock(secret) + [0])
        ),
        (
            "a text in place of the repetitions of a GIF",
            gif(with: [0x21, 0xFF] + gifBlock("NETSCAPE2.0") + gifBlock(secret) + [0])
        ),
        ("XMP in GIF", gif(with: [0x21, 0xFF] + gifBlock("XMP DataXMP") + gifBlock(secret) + [0])),
        ("an unknown extension in GIF", gif(with: [0x21, 0x42] + gifBlock(secret) + [0])),
        ("a text after a GIF", gif + Array(secret.utf8)),
    ]

    private static let webPMetadata: [(name: String, file: [UInt8])] = [
        ("EXIF in WebP", webP(flags: 0x08, with: webPChunk("EXIF", tiff(6)))),
        ("XMP in WebP", webP(flags: 0x04, with: webPChunk("XMP ", Array(secret.utf8)))),
        ("an unknown chunk in WebP", webP(flags: 0, with: webPChunk("prvt", Array(secret.utf8)))),
        ("a chunk after a simple WebP", webP(lossyWebP[12...] + webPChunk("EXIF", tiff(6)))),
        ("EXIF without a flag in WebP", webP(flags: 0, with: webPChunk("EXIF", tiff(6)))),
        ("EXIF with a prefix in WebP", webP(flags: 0x08, with: webPChunk("EXIF", Array("Exif\0\0".utf8) + tiff(6)))),
        (
            "a second EXIF chunk in WebP",
            webP(flags: 0x08, with: webPChunk("EXIF", tiff(1)) + webPChunk("EXIF", tiff(6)))
        ),
        ("a second canvas in WebP", webP(flags: 0, with: webPChunk("VP8X", Array(secret.utf8)))),
        ("a frame in a WebP that is not animated", webP(flags: 0, with: webPChunk("ANMF", Array(secret.utf8)))),
        ("a chunk in a frame of a WebP", animatedWebP(with: webPChunk("XMP ", Array(secret.utf8)))),
        ("a text after a WebP", lossyWebP + Array(secret.utf8)),
    ]

    /// A JPEG with a preview of 3 by 4 pixels in its JFIF segment.
    private static var jpegWithPreview: [UInt8] {
        let preview = mark + [UInt8](repeating: 0, count: 36 - mark.count)
        let segment = jpegSegment(0xE0, Array("JFIF\0".utf8) + [1, 1, 0, 0, 1, 0, 1, 3, 4] + preview)
        return Array(jpeg[..<2]) + segment + jpeg[20...]
    }

    private static func gifBlock(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

    /// Makes an animated WebP of one frame, with further chunks in the frame.
    public static func animatedWebP(with chunks: [UInt8] = []) -> [UInt8] {
        let image = Array(losslessWebP[12...])
        return webP(
            webPCanvas(width: 16, height: 9, isAnimated: true) + webPChunk("ANIM", [0, 0, 0, 0, 0, 0])
                + webPFrame(width: 16, height: 9, image: image + chunks))
    }

    /// Inserts bytes between the first two scans of a progressive JPEG.
    private static func betweenScans(_ bytes: [UInt8]) -> [UInt8] {
        Array(progressiveJPEG[..<136]) + bytes + progressiveJPEG[136...]
    }
}
