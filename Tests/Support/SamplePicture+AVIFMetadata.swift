extension SamplePicture {
    /// AVIF files with the secret in each place for metadata.
    static let avifMetadata = itemMetadata + movieMetadata + boxes

    private static let itemMetadata: [(name: String, file: [UInt8])] = [
        ("EXIF in AVIF", avif(items: [AVIFItem("Exif", big(0) + tiff(6))])),
        ("XMP in AVIF", avif(items: [AVIFItem("mime", Array(secret.utf8))])),
        (
            "EXIF and XMP in idat of AVIF",
            avif(items: [AVIFItem("Exif", big(0) + tiff(6)), AVIFItem("mime", tiff(6))], isInner: true)
        ),
        ("an unknown item in AVIF", avif(items: [AVIFItem("abcd", Array(secret.utf8))])),
        ("a thumbnail in AVIF", avif(items: [AVIFItem("av01", Array(secret.utf8), reference: "thmb")])),
        ("a hidden image in AVIF", avif(items: [AVIFItem("av01", Array(secret.utf8))])),
        (
            "a depth map in AVIF",
            avif(items: [
                AVIFItem(
                    "av01", av1 + Array(secret.utf8), reference: "auxl",
                    properties: [
                        AVIFProperty("auxC", big(0) + Array("urn:mpeg:mpegB:cicp:systems:auxiliary:depth\0".utf8))
                    ])
            ])
        ),
        ("the name of an AVIF", avif(name: secret)),
        ("the name of a hidden item in AVIF", avif(items: [AVIFItem("abcd", [1], name: secret)])),
        ("the name of the handler in AVIF", avif(handler: secret)),
        ("a description in AVIF", avif(properties: [AVIFProperty("udes", Array(secret.utf8), isEssential: false)])),
        (
            "an unknown property in AVIF",
            avif(properties: [AVIFProperty("cmex", Array(secret.utf8), isEssential: false)])
        ),
        ("bytes without an item in AVIF", avif(unused: Array(secret.utf8))),
        ("bytes without an item in idat of AVIF", avif(isInner: true, unused: Array(secret.utf8))),
        ("free space in AVIF", avif(between: avifBox("free", Array(secret.utf8)))),
        ("XMP in a box of AVIF", avif(between: avifBox("uuid", Array(secret.utf8)))),
        ("user data in AVIF", avif(extra: avifBox("udta", Array(secret.utf8)))),
        ("an unknown box in AVIF", avif(extra: avifBox("abcd", Array(secret.utf8)))),
        ("a box after an AVIF", avif + avifBox("free", Array(secret.utf8))),
    ]

    private static let movieMetadata: [(name: String, file: [UInt8])] = [
        ("a track with positions in AVIF", animatedAVIF(with: metadataTrack, in: ["moov"])),
        ("the time of a movie in AVIF", animatedAVIF(writing: mark, after: "mvhd", 4)),
        ("the time of a track in AVIF", animatedAVIF(writing: mark, after: "tkhd", 4)),
        ("the time of a track's data in AVIF", animatedAVIF(writing: mark, after: "mdhd", 4)),
        ("the name of an encoder in AVIF", animatedAVIF(writing: [7] + mark, after: "av01", 42, occurrence: 1)),
    ]

    private static let boxes: [(name: String, file: [UInt8])] = [
        ["moov"], ["moov", "trak"], ["moov", "trak", "mdia"], ["moov", "trak", "mdia", "minf"],
        ["moov", "trak", "mdia", "minf", "stbl"], ["moov", "trak", "mdia", "hdlr"],
    ].map { (path: [String]) in
        let box = avifBox("uuid", Array(secret.utf8))
        return (name: "a box in \(path.joined(separator: "/")) of AVIF", file: animatedAVIF(with: box, in: path))
    }

    /// The track of the animated AVIF, changed into one with positions in place of pictures.
    private static var metadataTrack: [UInt8] {
        var track = Array(animatedAVIF(writing: [7] + mark, after: "av01", 42, occurrence: 1)[407..<989])
        for (old, new) in [("pict", "meta"), ("av01", "mett")] {
            let place = track.indices.dropLast(3).first { Array(track[$0..<($0 + 4)]) == Array(old.utf8) } ?? 0
            track.replaceSubrange(place..<(place + 4), with: new.utf8)
        }
        return track
    }

    /// Writes bytes over those of the animated AVIF at a distance after a box's type.
    private static func animatedAVIF(
        writing bytes: [UInt8], after type: String, _ distance: Int, occurrence: Int = 0
    ) -> [UInt8] {
        var file = animatedAVIF
        let places = file.indices.dropLast(4).filter { Array(file[$0..<($0 + 4)]) == Array(type.utf8) }
        let start = places[occurrence] + 4 + distance
        file.replaceSubrange(start..<(start + bytes.count), with: bytes)
        return file
    }
}
