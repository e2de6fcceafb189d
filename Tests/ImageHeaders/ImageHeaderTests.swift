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

    @Test("an image file that ends before its image data throws ImageFault", arguments: SamplePicture.all.indices)
    func truncated(_ index: Int) {
        let file = SamplePicture.all[index].bytes
        // The number of bytes without which the file has no complete image data. The length of a JPEG's data is not
        // stated, so one byte is enough.
        let needed = ["image/png": 76, "image/gif": 59, "image/jpeg": 136][SamplePicture.all[index].type] ?? file.count
        for length in 0..<min(needed, file.count) {
            #expect(throws: ImageFault.self, "\(length) of \(file.count) bytes") {
                try ImageHeader(Array(file.prefix(length)))
            }
        }
    }

    @Test(
        "an image file that lacks only its end has the same header as the whole file",
        arguments: SamplePicture.all.indices)
    func withoutEnd(_ index: Int) throws {
        let (file, type) = SamplePicture.all[index]
        guard let end = ["image/png": 16, "image/gif": 2, "image/jpeg": 2][type] else { return }
        for count in 1...end {
            #expect(try ImageHeader(Array(file.dropLast(count))) == ImageHeader(file), "without \(count) bytes")
        }
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
        "a file that is not a JPEG, PNG, GIF, WebP or AVIF throws .unknownFormat",
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

    @Test("bytes after the end of an image are not in the stored file")
    func polyglots() throws {
        for (file, _) in SamplePicture.all {
            for rest in [Array("<html><script>alert(1)</script>".utf8), [0], [0, 0], [0x50, 0x4B, 3, 4], file] {
                for keepsMetadata in [false, true] {
                    #expect(try ImageFile(file + rest).stored(keepingMetadata: keepsMetadata) == file)
                }
            }
        }
    }
}
