import FoundationEssentials
import ImageHeaders

/// The fuzz target for images, which clients upload.
enum ImageTarget {
    /// Parses an input as an image, and its stored file as well.
    ///
    /// - Returns: a description of the failure; `nil` if the input is refused, or accepted with a size above zero and a
    ///   stored file that has the same header and is its own stored file.
    static func failure(in input: [UInt8]) -> String? {
        guard let file = try? ImageFile(input) else { return nil }
        let header = file.header
        guard header.width > 0, header.height > 0, header.frames > 0, header.pixels > 0 else {
            return "an image without pixels is accepted"
        }
        for keepsMetadata in [false, true] {
            let bytes = file.stored(keepingMetadata: keepsMetadata)
            guard let stored = try? ImageFile(bytes) else { return "the stored file \(bytes) is refused" }
            guard stored.header == header else { return "the stored file \(bytes) has another header" }
            guard stored.stored(keepingMetadata: keepsMetadata) == bytes else {
                return "the stored file \(bytes) is not its own stored file"
            }
        }
        // No image has only eight bytes, so the truncated input must be refused.
        return (try? ImageHeader(Array(input.prefix(8)))) == nil ? nil : "an image of eight bytes is accepted"
    }

    /// Images of two pixels each: one of each format, animations, and images with metadata.
    static let seeds: [[UInt8]] = [
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGP8z8DAwMAAAAYIAQHLR3Z1AAAAAElFTkSuQmCC",
        "R0lGODdhAgABAIEAAP8AAAAAAAAAAAAAACwAAAAAAgABAAAIBQABAAgIADs=",
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wAALCAABAAIBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AL//Z",
        "UklGRhwAAABXRUJQVlA4TA8AAAAvAQAAAAcQ/Y/+ByKi/wEA",
        "UklGRjIAAABXRUJQVlA4ICYAAABwAQCdASoCAAEADMDOJaACdAFAAAD+3FHSXS5Df6u/O36ntgAAAA==",
        "R0lGODlhAgABAIAAAAAAAAAAACH/C05FVFNDQVBFMi4wAwEAAAAh+QQAAwAAACwAAAAAAgABAAAIBQABAAgIADs=",
        "UklGRrIAAABXRUJQVlA4WAoAAAACAAAAAQAAAAAAQU5JTQYAAAAAAAAAAABBTk1GJgAAAAAAAAAAAAEAAAAAAAAAAAJWUDhMDgAAAC8BAAAABxAR/Q9ERP8DQU5NRigAAAAAAAAAAAABAAAAAAAAAAAAVlA4TA8AAAAvAQAAAAcQhYr+ByKi/wEAQU5NRigAAAAAAAAAAAABAAAAAAAAAAAAVlA4TA8AAAAvAQAAAAcQBY3+ByKi/wEA",
        "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/7QAQUGhvdG9zaG9wIDMuMAD/4gARSUNDX1BST0ZJTEUAAQF4//4ABGhpAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wAALCAABAAIBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8ALw==",
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAGmVYSWZNTQAqAAAACAABARIAAwAAAAEABgAAAAAAANZnS2kAAAAIYWNUTAAAAAIAAAAA842TcAAAABpmY1RMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEkccGAAAAD0lEQVR4nGP8z8DAwMAAAAYIAQHLR3Z1AAAABWZkQVQAAAABeK93vqIAAAADdEVYdGEAYtxJojs=",
        "R0lGODlhAgABAIAAAAAAAAAAACH/C05FVFNDQVBFMi4wAwEAAAAh+QQAAwAAACwAAAAAAgABAAAIBQABAAgIACH+AmhpACH/C05FVFNDQVBFMi4wAwEAAAAh+QQAAwAAACwAAAAAAgABAAAIBQABAAgI",
        "UklGRmYAAABXRUJQVlA4WAoAAAAsAAAAAQAAAAAASUNDUAEAAAB4AFZQOEwPAAAALwEAAAAHEP2P/gciov8BAEVYSUYaAAAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAABYTVAgBAAAADx4Lz4=",
        "AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAABAAAAOmlsb2MAAAAARAAAAwABAAAAAQAAAdAAAAAcAAIAAAABAAABoAAAACQAAwAAAAEAAAHEAAAADAAAAG1paW5mAAAAAAADAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAAAZaW5mZQIAAAAAAgAARXhpZkV4aWYAAAAALGluZmUCAAAAAAMAAG1pbWVYTVAAYXBwbGljYXRpb24vcmRmK3htbAAAAAAoaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAAA5jZHNjAAMAAQABAAAAcmlwcnAAAABSaXBjbwAAABRpc3BlAAAAAAAAAAIAAAABAAAADnBpeGkAAAAAAQgAAAAMYXYxQ4EAHAAAAAATY29scm5jbHgAAQANAAaAAAAACWlyb3QDAAAAGGlwbWEAAAAAAAAAAQABBQECgwSFAAAAVG1kYXQAAAAGRXhpZgAATU0AKgAAAAgAAQEPAAIAAAACeAAAAAAAAAA8eDp4bXBtZXRhLz4SAAoHGAAmmAhoNTIPFMZlAgnlAABIWtmfVwnw",
        "AAAAKGZ0eXBhdmlzAAAAAGF2aWZhdmlzbXNmMWlzbzhtaWYxbWlhZgAAAOltZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAABAAAAHmlsb2MAAAAARAAAAQABAAAAAQAAA98AAAAeAAAAKGlpbmYAAAAAAAEAAAAaaW5mZQIAAAAAAQAAYXYwMUNvbG9yAAAAAGhpcHJwAAAASWlwY28AAAAUaXNwZQAAAAAAAAACAAAAAQAAAA5waXhpAAAAAAEIAAAADGF2MUOBABwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAACxm1vb3YAAAB4bXZoZAEAAAAAAAAA5zPSngAAAADnM9KeAAAD6P//////////AAEAAAEAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAJGdHJhawAAAGh0a2hkAQAAAQAAAADnM9KeAAAAAOcz0p4AAAABAAAAAP//////////AAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAQAAAAAACAAAAAQAAAAAALGVkdHMAAAAkZWxzdAEAAAEAAAABAAAAAAAAAMgAAAAAAAAAAAABAAAAAAGqbWRpYQAAACxtZGhkAQAAAAAAAADnM9KeAAAAAOcz0p4AAAPoAAAAAAAAAMhVxAAAAAAAIWhkbHIAAAAAAAAAAHBpY3QAAAAAAAAAAAAAAAAAAAABVW1pbmYAAAAUdm1oZAAAAAEAAAAAAAAAAAAAACRkaW5mAAAAHGRyZWYAAAAAAAAAAQAAAAx1cmwgAAAAAQAAARVzdGJsAAAAlXN0c2QAAAAAAAAAAQAAAIVhdjAxAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAIAAQBIAAAASAAAAAAAAAABCkFPTSBDb2RpbmcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGP//AAAADGF2MUOBABwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABBjY3N0AAAAAHwAAAAAAAAYc3R0cwAAAAAAAAABAAAAAgAAAGQAAAAcc3RzYwAAAAAAAAABAAAAAQAAAAIAAAABAAAAHHN0c3oAAAAAAAAAAAAAAAIAAAAeAAAAFwAAABRzdGNvAAAAAAAAAAEAAAPfAAAAFHN0c3MAAAAAAAAAAQAAAAEAAAA9bWRhdBIACgsAAAAABG182AhoNTINEACgAAAJAABGfouDeBIAMhMwA8CAAABGoAAACQAIAB7l/XRI",
    ].map { text in Data(base64Encoded: text).map { [UInt8]($0) } ?? [] }

    static let dictionary: [[UInt8]] = [
        [0xFF, 0xD8, 0xFF], [0xFF, 0xC0], [0xFF, 0xDA], [0xFF, 0xD9], [0xFF, 0xFF], [0x3B], [0x2C], [0x21, 0xF9],
        [0x21, 0xFF], Array("IHDR".utf8), Array("IDAT".utf8), Array("IEND".utf8), Array("acTL".utf8),
        Array("fcTL".utf8),
        Array("RIFF".utf8), Array("WEBP".utf8), Array("VP8 ".utf8), Array("VP8L".utf8), Array("VP8X".utf8),
        Array("ANMF".utf8), Array("eXIf".utf8), Array("fdAT".utf8), Array("tEXt".utf8), Array("EXIF".utf8),
        Array("Exif\0\0".utf8), [0xFF, 0xE1], [0xFF, 0xFE], [0x21, 0xFE], Array("II*\0".utf8), [0x01, 0x12, 0, 3],
        Array("ftyp".utf8), Array("avif".utf8), Array("avis".utf8), Array("meta".utf8), Array("iloc".utf8),
        Array("iinf".utf8), Array("infe".utf8), Array("ipma".utf8), Array("ispe".utf8), Array("irot".utf8),
        Array("clap".utf8), Array("idat".utf8), Array("mdat".utf8), Array("moov".utf8), Array("stsz".utf8),
        Array("stsc".utf8), Array("stco".utf8), Array("free".utf8), Array("iref".utf8), Array("auxl".utf8),
        Array("dimg".utf8),
        Array("trak".utf8), Array("mdia".utf8), Array("stbl".utf8), Array("avis".utf8), [0, 0, 0, 1], [0, 0, 0, 0],
        [0, 0, 0, 13],
        [0xFF, 0xFF, 0xFF, 0xFF],
    ]
}
