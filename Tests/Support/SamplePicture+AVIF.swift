import Foundation

extension SamplePicture {
    /// An AVIF with one colour in each quarter.
    public static let avif = avif()
    /// An item of an AVIF beside the image.
    public struct AVIFItem: Sendable {
        let type: String
        let content: [UInt8]
        let name: String
        let reference: String?
        let properties: [AVIFProperty]

        /// Makes an item of a type such as `Exif` or `mime`.
        ///
        /// - Parameters:
        ///   - reference: the type of the reference from this item to the image.
        ///   - properties: properties of the item besides its size and its codec.
        public init(
            _ type: String, _ content: [UInt8], name: String = "", reference: String? = nil,
            properties: [AVIFProperty] = []
        ) {
            (self.type, self.content, self.name) = (type, content, name)
            self.reference = reference ?? (["Exif", "mime"].contains(type) ? "cdsc" : nil)
            self.properties = properties
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

    /// AV1 data of 16 by 9 pixels.
    public static let av1 = Array(
        Data(base64Encoded: "EgAKCRgM/hsgIaDQgDIjRlHh4YhgABoAAAj5GxQIwJo7FxGwCswQ275oZqCpXxvTiRA=") ?? Data())

    /// Makes an AVIF of 16 by 9 pixels.
    ///
    /// - Parameters:
    ///   - brand: the major brand.
    ///   - brands: the compatible brands.
    ///   - size: the size that the file states.
    ///   - type: the type of the image's item.
    ///   - name: the name of the image's item.
    ///   - image: the data of the image.
    ///   - properties: properties of the image besides its size and its codec.
    ///   - items: items beside the image, with their data before that of the image.
    ///   - isInner: whether the data of the items is in the box `idat`.
    ///   - handler: the name of the handler.
    ///   - extra: boxes inside the box `meta`.
    ///   - between: bytes between the boxes `meta` and `mdat`.
    ///   - container: the type of the box with the data of the items.
    ///   - unused: bytes in the box `mdat` to which no item refers.
    public static func avif(
        brand: String = "avif", brands: [String] = ["avif", "mif1", "miaf"], size: (UInt32, UInt32) = (16, 9),
        type: String = "av01", name: String = "", image: [UInt8] = av1, properties: [AVIFProperty] = [],
        items: [AVIFItem] = [], isInner: Bool = false, handler: String = "", extra: [UInt8] = [],
        between: [UInt8] = [], container: String = "mdat", unused: [UInt8] = []
    ) -> [UInt8] {
        let fileType = avifBox("ftyp", Array(brand.utf8) + big(0) + brands.flatMap { Array($0.utf8) })
        let all = items + [AVIFItem(type, image, name: name, properties: properties)]
        let data = all.map(\.content)
        let inner = isInner ? data.flatMap { $0 } : []
        func meta(origin: UInt32) -> [UInt8] {
            var content = version(0)
            content += avifBox(
                "hdlr",
                version(0) + big(0) + Array("pict".utf8) + [UInt8](repeating: 0, count: 12) + Array(handler.utf8) + [0])
            content += avifBox("pitm", version(0) + short(UInt16(all.count)))
            content += avifLocations(data.map(\.count), origin: origin, isInner: isInner)
            content += avifEntries(all)
            content += avifReferences(all)
            content += avifProperties(all, size: size)
            if isInner { content += avifBox("idat", inner + unused) }
            return avifBox("meta", content + extra)
        }
        let head = fileType.count + meta(origin: 0).count + between.count
        let file = fileType + meta(origin: isInner ? 0 : UInt32(head + 8)) + between
        return isInner ? file : file + avifBox(container, data.flatMap { $0 } + unused)
    }

    private static func avifLocations(_ sizes: [Int], origin: UInt32, isInner: Bool) -> [UInt8] {
        var position = origin
        var locations = version(1) + [0x44, 0, 0, UInt8(sizes.count)]
        for (index, size) in sizes.enumerated() {
            locations +=
                short(UInt16(index + 1)) + [0, isInner ? 1 : 0, 0, 0, 0, 1] + big(position) + big(UInt32(size))
            position += UInt32(size)
        }
        return avifBox("iloc", locations)
    }

    private static func avifEntries(_ items: [AVIFItem]) -> [UInt8] {
        var entries: [UInt8] = []
        for (index, item) in items.enumerated() {
            let ids = version(2) + short(UInt16(index + 1)) + [0, 0]
            entries += avifBox(
                "infe", ids + Array(item.type.utf8) + Array(item.name.utf8) + [0] + mediaType(item.type))
        }
        return avifBox("iinf", version(0) + short(UInt16(items.count)) + entries)
    }

    private static func avifReferences(_ items: [AVIFItem]) -> [UInt8] {
        var references: [UInt8] = []
        for (index, item) in items.enumerated() {
            guard let type = item.reference else { continue }
            references += avifBox(type, short(UInt16(index + 1)) + short(1) + short(UInt16(items.count)))
        }
        return references.isEmpty ? [] : avifBox("iref", version(0) + references)
    }

    /// Makes the box `iprp`. Each item of AV1 data has a size and a codec.
    private static func avifProperties(_ items: [AVIFItem], size: (UInt32, UInt32)) -> [UInt8] {
        var properties = [
            avifBox("ispe", version(0) + big(size.0) + big(size.1)), avifBox("pixi", version(0) + [3, 8, 8, 8]),
            avifBox("av1C", [0x81, 0, 0x0C, 0]), avifBox("colr", Array("nclx".utf8) + [0, 1, 0, 13, 0, 6, 0x80]),
        ]
        var associations: [UInt8] = []
        var count: UInt32 = 0
        for (index, item) in items.enumerated() {
            guard index == items.count - 1 || item.type == "av01" else { continue }
            var list: [UInt8] = [1, 2, 0x83, 4]
            for property in item.properties {
                properties.append(property.box)
                list.append(UInt8(properties.count) | (property.isEssential ? 0x80 : 0))
            }
            associations += short(UInt16(index + 1)) + [UInt8(list.count)] + list
            count += 1
        }
        return avifBox(
            "iprp",
            avifBox("ipco", properties.flatMap { $0 }) + avifBox("ipma", version(0) + big(count) + associations))
    }

    /// Inserts a box into the animated AVIF, at the end of the box to which a path leads.
    ///
    /// - Parameter path: the types of boxes. A number after a colon is the size of the fields in front of the boxes
    ///   inside it.
    public static func animatedAVIF(with box: [UInt8], in path: [String]) -> [UInt8] {
        var file = animatedAVIF
        var (start, end) = (0, file.count)
        var sizes: [Int] = []
        for step in path {
            let parts = step.split(separator: ":")
            while Array(file[(start + 4)..<(start + 8)]) != Array(parts[0].utf8) { start += number(file, at: start) }
            sizes.append(start)
            end = start + number(file, at: start)
            start += 8 + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        }
        for place in sizes {
            file.replaceSubrange(place..<(place + 4), with: big(UInt32(number(file, at: place) + box.count)))
        }
        // The position of the image data occurs twice, in `iloc` and in `stco`.
        let (old, new) = (big(997), big(UInt32(997 + box.count)))
        for place in 0..<989 where Array(file[place..<(place + 4)]) == old {
            file.replaceSubrange(place..<(place + 4), with: new)
        }
        return Array(file[..<end]) + box + file[end...]
    }

    private static func number(_ file: [UInt8], at place: Int) -> Int {
        file[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
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
