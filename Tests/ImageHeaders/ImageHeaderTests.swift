import ImageHeaders
import TestSupport
import Testing

@Suite("Image header")
struct ImageHeaderTests {
    @Test("the header of each format has its media type and size", arguments: SamplePicture.all.indices)
    func kinds(_ index: Int) throws {
        let (file, type) = SamplePicture.all[index]
        let header = try ImageHeader(file)
        #expect(header.format.contentType == type)
        #expect(header.width == 16)
        #expect(header.height == 9)
        #expect(header.frames == 1)
        #expect(header.pixels == 144)
    }

    @Test("an image file that is truncated at any byte throws ImageFault", arguments: SamplePicture.all.indices)
    func truncated(_ index: Int) {
        let file = SamplePicture.all[index].bytes
        for length in 0..<file.count {
            #expect(throws: ImageFault.self, "\(length) of \(file.count) bytes") {
                try ImageHeader(Array(file.prefix(length)))
            }
        }
        #expect(throws: ImageFault.truncated) { try ImageHeader(Array(file.prefix(file.count - 1))) }
    }

    @Test("an image file with one changed byte throws ImageFault, or has a size and at least one frame")
    func damaged() {
        for (file, _) in SamplePicture.all {
            for position in file.indices {
                for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF, file[position] &+ 1] {
                    var damaged = file
                    damaged[position] = value
                    guard let header = try? ImageHeader(damaged) else { continue }
                    #expect(header.width > 0 && header.height > 0 && header.frames > 0 && header.pixels > 0)
                }
            }
        }
    }

    @Test(
        "a file that is not a JPEG, PNG, GIF or WebP throws .unknownFormat",
        arguments: [
            "", "G", "GIF", "GIF88a", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "<!doctype html><script>",
            "https://example.org/cat.png", "data:image/png;base64,AAAA", "%PDF-1.7", "BM", "II*\0", "\0\0\u{1}\0",
            "RIFF\0\0\0\0WAVE", "\u{FF}\u{D8}\u{FF}", "PK\u{3}\u{4}", "#!/bin/sh\n", " GIF89a", "\u{FEFF}GIF89a",
        ])
    func otherFormats(_ text: String) {
        #expect(throws: ImageFault.unknownFormat) { try ImageHeader(Array(text.utf8)) }
    }

    /// Files that begin like an image but are not an image.
    static let pretenders: [[UInt8]] = [
        Array("GIF89a=1;alert(document.cookie);//".utf8), Array("GIF89a<?php system($_GET[0]); ?>".utf8),
        Array("GIF89a/*".utf8) + Array("*/=1;alert(1)".utf8),
        [0xFF, 0xD8, 0xFF, 0xE0, 0x2F, 0x2A] + Array("*/=alert(1)/*".utf8),
        SamplePicture.pngSignature + Array("<html><script>alert(1)</script></html>".utf8),
        Array("RIFF".utf8) + [0x10, 0, 0, 0] + Array("WEBP<script></script>".utf8),
    ]

    @Test("a script or a page that begins like an image throws ImageFault", arguments: pretenders.indices)
    func pretend(_ index: Int) {
        let file = Self.pretenders[index]
        #expect(throws: ImageFault.self) { try ImageHeader(file) }
    }

    @Test("bytes after the end of an image throw .malformed, but are allowed after a JPEG")
    func polyglots() throws {
        let page = Array("<html><script>alert(1)</script>".utf8)
        for (file, type) in SamplePicture.all {
            guard type != "image/jpeg" else {
                #expect(try ImageHeader(file + page).width == 16)
                continue
            }
            #expect(throws: ImageFault.malformed) { try ImageHeader(file + page) }
            #expect(throws: ImageFault.malformed) { try ImageHeader(file + [0, 0]) }
        }
    }
}
