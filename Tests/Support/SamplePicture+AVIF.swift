import Foundation

extension SamplePicture {
    /// An AVIF with one colour in each quarter.
    public static let avif = avif()
    /// An AVIF of two frames.
    public static let animatedAVIF = Array(
        Data(
            base64Encoded:
                "AAAALGZ0eXBhdmlzAAAAAGF2aWZhdmlzbXNmMWlzbzhtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAA"
                + "cGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAPlAAAAKAAAAChpaW5mAAAA"
                + "AAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAEAAAAAkAAAAQcGl4"
                + "aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAACxm1vb3YA"
                + "AAB4bXZoZAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAD6P//////////AAEAAAEAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAA"
                + "AQAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAJGdHJhawAAAGh0a2hkAQAAAQAAAAAA"
                + "AAAAAAAAAAAAAAAAAAABAAAAAP//////////AAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAA"
                + "AAAAQAAAAAAQAAAACQAAAAAALGVkdHMAAAAkZWxzdAEAAAEAAAABAAAAAAAAAMgAAAAAAAAAAAABAAAAAAGqbWRpYQAAACxt"
                + "ZGhkAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAPoAAAAAAAAAMhVxAAAAAAAIWhkbHIAAAAAAAAAAHBpY3QAAAAAAAAAAAAAAAAA"
                + "AAABVW1pbmYAAAAUdm1oZAAAAAEAAAAAAAAAAAAAACRkaW5mAAAAHGRyZWYAAAAAAAAAAQAAAAx1cmwgAAAAAQAAARVzdGJs"
                + "AAAAlXN0c2QAAAAAAAAAAQAAAIVhdjAxAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAABAACQBIAAAASAAAAAAAAAABCkFPTSBD"
                + "b2RpbmcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGP//AAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABBjY3N0AAAA"
                + "AHwAAAAAAAAYc3R0cwAAAAAAAAABAAAAAgAAAGQAAAAcc3RzYwAAAAAAAAABAAAAAQAAAAIAAAABAAAAHHN0c3oAAAAAAAAA"
                + "AAAAAAIAAAAoAAAAIAAAABRzdGNvAAAAAAAAAAEAAAPlAAAAFHN0c3MAAAAAAAAAAQAAAAEAAABQbWRhdBIACg0AAAABn8P3"
                + "8yAhoNCAMhUQAMAAAAKAAAKjz6KnvtaTLWsAF6ASADIcMAPAgAAAFsAAAAKAAACAABgrSV1eEkY7CEEe6A==") ?? Data())

    /// An item of an AVIF beside the image.
    public struct AVIFItem: Sendable {
        let type: String
        let content: [UInt8]

        /// Makes an item of a type such as `Exif` or `mime`.
        public init(_ type: String, _ content: [UInt8]) {
            (self.type, self.content) = (type, content)
        }
    }

    /// A property of the image in an AVIF.
    public struct AVIFProperty: Sendable {
        let box: [UInt8]
        let isEssential: Bool

        /// Makes a property from the type and the content of its box.
        public init(_ type: String, _ content: [UInt8], isEssential: Bool = true) {
            (box, self.isEssential) = (avifBox(type, content), isEssential)
        }
    }

    /// Makes an AVIF of 16 by 9 pixels.
    ///
    /// - Parameters:
    ///   - brand: the major brand.
    ///   - brands: the compatible brands.
    ///   - size: the size that the file states.
    ///   - type: the type of the image's item.
    ///   - properties: properties of the image besides its size and its codec.
    ///   - items: items beside the image, with their data before that of the image.
    ///   - isInner: whether the data of the items is in the box `idat`.
    ///   - extra: boxes inside the box `meta`.
    ///   - between: bytes between the boxes `meta` and `mdat`.
    ///   - unused: bytes in the box `mdat` to which no item refers.
    public static func avif(
        brand: String = "avif", brands: [String] = ["avif", "mif1", "miaf"], size: (UInt32, UInt32) = (16, 9),
        type: String = "av01", properties: [AVIFProperty] = [], items: [AVIFItem] = [], isInner: Bool = false,
        extra: [UInt8] = [], between: [UInt8] = [], unused: [UInt8] = []
    ) -> [UInt8] {
        let image = Array(
            Data(base64Encoded: "EgAKCRgM/hsgIaDQgDIjRlHh4YhgABoAAAj5GxQIwJo7FxGwCswQ275oZqCpXxvTiRA=") ?? Data())
        let fileType = avifBox("ftyp", Array(brand.utf8) + big(0) + brands.flatMap { Array($0.utf8) })
        let all = items + [AVIFItem(type, image)]
        let ids = Array(1...UInt16(all.count))
        let data = items.map(\.content) + [image]
        let inner = isInner ? data.flatMap { $0 } : []
        func meta(origin: UInt32) -> [UInt8] {
            var position = origin
            var locations = version(1) + [0x44, 0, 0, UInt8(all.count)]
            for (id, content) in zip(ids, data) {
                locations += short(id) + [0, isInner ? 1 : 0, 0, 0, 0, 1]
                locations += big(position) + big(UInt32(content.count))
                position += UInt32(content.count)
            }
            var entries: [UInt8] = []
            for (id, item) in zip(ids, all) {
                let ids: [UInt8] = version(2) + short(id) + [0, 0]
                entries += avifBox("infe", ids + Array(item.type.utf8) + [0] + mediaType(item.type))
            }
            let base = [
                avifBox("ispe", version(0) + big(size.0) + big(size.1)), avifBox("pixi", version(0) + [3, 8, 8, 8]),
                avifBox("av1C", [0x81, 0, 0x0C, 0]),
                avifBox("colr", Array("nclx".utf8) + [0, 1, 0, 13, 0, 6, 0x80]),
            ]
            let flags: [UInt8] = [1, 2, 0x83, 4]
            var further: [UInt8] = []
            for (index, property) in properties.enumerated() {
                further.append(UInt8(index + 5) | (property.isEssential ? 0x80 : 0))
            }
            var associations: [UInt8] = version(0) + big(1) + short(UInt16(all.count))
            associations += [UInt8(flags.count + further.count)] + flags + further
            var content = version(0)
            content += avifBox("hdlr", version(0) + big(0) + Array("pict".utf8) + [UInt8](repeating: 0, count: 13))
            content += avifBox("pitm", version(0) + short(UInt16(all.count)))
            content += avifBox("iloc", locations)
            content += avifBox("iinf", version(0) + [0, UInt8(all.count)] + entries)
            content += avifBox(
                "iprp",
                avifBox("ipco", base.flatMap { $0 } + properties.flatMap(\.box)) + avifBox("ipma", associations))
            if isInner { content += avifBox("idat", inner + unused) }
            return avifBox("meta", content + extra)
        }
        let head = fileType.count + meta(origin: 0).count + between.count
        let file = fileType + meta(origin: isInner ? 0 : UInt32(head + 8)) + between
        return isInner ? file : file + avifBox("mdat", data.flatMap { $0 } + unused)
    }

    /// Makes a box of an ISO base media file.
    public static func avifBox(_ type: String, _ content: [UInt8]) -> [UInt8] {
        big(UInt32(content.count + 8)) + Array(type.utf8) + content
    }

    private static func version(_ number: UInt8) -> [UInt8] { [number, 0, 0, 0] }

    private static func short(_ value: UInt16) -> [UInt8] { Array(little(value).reversed()) }

    private static func mediaType(_ type: String) -> [UInt8] {
        type == "mime" ? Array("application/rdf+xml\0".utf8) : []
    }
}
