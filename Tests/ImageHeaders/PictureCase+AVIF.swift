import TestSupport

extension PictureCase {
    static let avif: [PictureCase] = [
        taken("an AVIF rotated by 90 degrees", avif(.init("irot", [1])), 9, 16),
        taken("an AVIF rotated by 180 degrees", avif(.init("irot", [2]))),
        taken("an AVIF rotated by 270 degrees", avif(.init("irot", [3])), 9, 16),
        taken("a mirrored AVIF", avif(.init("imir", [1]))),
        taken("an AVIF cropped to its top left", avif(.init("clap", crop(8, 5, -4, -2))), 8, 5),
        taken(
            "an AVIF cropped and rotated",
            SamplePicture.avif(
                properties: [.init("clap", crop(8, 5, -4, -2)), .init("irot", [1])]), 5, 8),
        taken("an AVIF cropped to its centre", avif(.init("clap", crop(8, 5, 0, 0)))),
        taken("an AVIF with a crop that is too large", avif(.init("clap", crop(80, 5, 0, 0)))),
        taken(
            "an AVIF with pixels that are not square",
            avif(.init("pasp", [0, 0, 0, 2, 0, 0, 0, 1], isEssential: false))),
        taken("an AVIF with the major brand mif1", SamplePicture.avif(brand: "mif1")),
        taken("an AVIF with the major brand heic", SamplePicture.avif(brand: "heic")),
        taken("an AVIF without compatible brands", SamplePicture.avif(brands: [])),
        taken("an AVIF with its data in idat", SamplePicture.avif(isInner: true)),
        refused("an AVIF with another rotation", avif(.init("irot", [0xFF]))),
        refused("an AVIF with a rotation that is not essential", avif(.init("irot", [1], isEssential: false))),
        refused("an AVIF with an unknown essential property", avif(.init("abcd", [1]))),
        taken("an AVIF with an unknown property", avif(.init("abcd", [1], isEssential: false))),
        refused("an AVIF with the major brand avis and no movie", SamplePicture.avif(brand: "avis")),
        refused("an AVIF with the compatible brand avis and no movie", SamplePicture.avif(brands: ["avis", "mif1"])),
        taken("an animated AVIF without items", sequence(brands: true)),
        refused("an animated AVIF without items that has the brand avif", sequence(brands: false)),
        taken("a mirrored and rotated animated AVIF", rotatedSequence, 9, 16),
        taken("an AVIF with its data in another box", SamplePicture.avif(container: "abcd")),
        taken("an AVIF with its data in free space", SamplePicture.avif(container: "free")),
        taken("an AVIF with its data in two boxes", twoBoxes),
        taken("an AVIF that states a smaller size", SamplePicture.avif(size: (8, 5)), 8, 5),
        refused("an AVIF without a sequence header", SamplePicture.avif(image: [UInt8](repeating: 0, count: 50))),
        taken("an AVIF whose EXIF data is empty", SamplePicture.avif(items: [.init("Exif", [])])),
        refused("an AVIF with two lists of items", SamplePicture.avif(extra: emptyList)),
        refused("an AVIF with a box after its properties", boxAfterProperties),
        refused("an image of AV1 with the brand mif1 only", SamplePicture.avif(brand: "mif1", brands: ["miaf"])),
        refused("a HEIC", SamplePicture.avif(brand: "heic", brands: ["mif1", "heic"], type: "hvc1")),
        refused("an AVIF whose image is HEVC", SamplePicture.avif(type: "hvc1")),
    ]

    /// An animated AVIF in which the box `meta` is free space.
    ///
    /// - Parameter brands: whether the brand `avif` is replaced.
    private static func sequence(brands: Bool) -> [UInt8] {
        var file = SamplePicture.animatedAVIF
        file.replaceSubrange(48..<52, with: Array("free".utf8))
        if brands { file.replaceSubrange(16..<20, with: Array("avis".utf8)) }
        return file
    }

    private static let rotatedSequence = SamplePicture.animatedAVIF(
        with: SamplePicture.avifBox("irot", [1]),
        in: ["moov", "trak", "mdia", "minf", "stbl", "stsd:8", "av01:78"])

    /// Makes an AVIF of tiles of 16 by 9 pixels that all have the same data.
    ///
    /// - Parameter alphas: the number of items with this data that are the transparency of each tile.
    static func tiledAVIF(_ count: Int, _ data: [UInt8], alphas: Int = 0) -> [UInt8] {
        let start = tiledHead(count, alphas, data.count, origin: 0).count + 8
        return tiledHead(count, alphas, data.count, origin: start) + SamplePicture.avifBox("mdat", data)
    }

    /// Makes the boxes before the data. The first item is the grid, the next ones are its tiles, and the last ones are
    /// their transparency, each with 100 properties.
    private static func tiledHead(_ count: Int, _ alphas: Int, _ size: Int, origin: Int) -> [UInt8] {
        let version: [UInt8] = [0, 0, 0, 0]
        let place = SamplePicture.big(UInt32(origin)) + SamplePicture.big(UInt32(size))
        var locations: [UInt8] = [1, 0, 0, 0, 0x44, 0] + short(count + alphas + 1)
        var entries = version + short(count + alphas + 1)
        let tiles = (2...(count + 1)).flatMap(short)
        var references = SamplePicture.avifBox("dimg", short(1) + short(count) + tiles)
        var associations = version + SamplePicture.big(UInt32(1 + alphas)) + [0, 1, 1, 1]
        for id in 1...(count + alphas + 1) {
            locations += short(id) + [0, 0, 0, 0, 0, 1] + place
            let type = Array((id == 1 ? "grid" : "av01").utf8)
            entries += SamplePicture.avifBox("infe", [2, 0, 0, 0] + short(id) + [0, 0] + type + [0])
            guard id > count + 1 else { continue }
            references += SamplePicture.avifBox("auxl", short(id) + short(count) + tiles)
            associations += short(id) + [100] + [UInt8](repeating: 1, count: 99) + [2]
        }
        let displayed = SamplePicture.avifBox("ispe", version + SamplePicture.big(16) + SamplePicture.big(9))
        let alpha = SamplePicture.avifBox("auxC", version + Array("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0".utf8))
        let association = SamplePicture.avifBox("ipma", associations)
        var meta = version
        meta += SamplePicture.avifBox("hdlr", version + version + Array("pict".utf8) + [UInt8](repeating: 0, count: 13))
        meta += SamplePicture.avifBox("pitm", version + short(1))
        meta += SamplePicture.avifBox("iloc", locations)
        meta += SamplePicture.avifBox("iinf", entries)
        meta += SamplePicture.avifBox("iref", version + references)
        meta += SamplePicture.avifBox("iprp", SamplePicture.avifBox("ipco", displayed + alpha) + association)
        return SamplePicture.avifBox("ftyp", Array("avif".utf8) + version) + SamplePicture.avifBox("meta", meta)
    }

    private static func short(_ value: Int) -> [UInt8] { SamplePicture.little(UInt16(value)).reversed() }

    private static let emptyList = SamplePicture.avifBox("iinf", [0, 0, 0, 0, 0, 0])

    /// An AVIF whose data begins in one box `mdat` and ends in the next one. The header of the second box is the
    /// content of padding in the data.
    private static let twoBoxes: [UInt8] = {
        let second = SamplePicture.avifBox("mdat", Array(SamplePicture.av1.dropFirst(2)))
        let image = [0x12, 0, 0x7A, 8] + second
        let file = SamplePicture.avif(image: image)
        return patched(file, at: file.count - image.count - 8, [0, 0, 0, 12])
    }()

    private static let boxAfterProperties = SamplePicture.animatedAVIF(
        with: SamplePicture.avifBox("free", []), in: ["meta:4", "iprp"])

    private static func avif(_ property: SamplePicture.AVIFProperty) -> [UInt8] {
        SamplePicture.avif(properties: [property])
    }

    /// Makes the content of the property `clap`. The offsets are those of the centre, in pixels.
    private static func crop(_ width: UInt32, _ height: UInt32, _ across: Int32, _ down: Int32) -> [UInt8] {
        [width, 1, height, 1, UInt32(bitPattern: across), 1, UInt32(bitPattern: down), 1].flatMap(SamplePicture.big)
    }
}
