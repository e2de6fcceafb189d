import ImageHeaders
import TestSupport
import Testing

@Suite("Image size")
struct ImageSizeTests {
    @Test("the largest sizes of a PNG, a JPEG and a WebP are read, and a PNG of 2^31 pixels in width throws .malformed")
    func largestSizes() throws {
        let png = try ImageHeader(SamplePicture.png(width: 2_147_483_647, height: 2_147_483_647))
        #expect(png.width == 2_147_483_647)
        #expect(png.pixels == 2_147_483_647 * 2_147_483_647)
        #expect(try ImageHeader(SamplePicture.jpeg(width: 65_535, height: 65_535)).pixels == 65_535 * 65_535)
        let webP = SamplePicture.webP(SamplePicture.webPImage(width: 16_384, height: 16_384))
        #expect(try ImageHeader(webP).pixels == 16_384 * 16_384)
        #expect(throws: ImageFault.malformed) {
            try ImageHeader(SamplePicture.png(width: 2_147_483_648, height: 1))
        }
    }

    @Test("the pixels of a GIF are the sum over its frames, each of which counts at least as much as the screen")
    func gifFrames() throws {
        let animation = try ImageHeader(SamplePicture.gif(width: 10, height: 20, frames: [(10, 20), (1, 1), (5, 5)]))
        #expect((animation.width, animation.height, animation.frames, animation.pixels) == (10, 20, 3, 600))
        let larger = try ImageHeader(SamplePicture.gif(width: 1, height: 1, frames: [(1, 1), (60_000, 60_000)]))
        #expect((larger.width, larger.frames, larger.pixels) == (1, 2, 3_600_000_001))
    }

    @Test("the number of frames of a PNG is the announced or the existing number, whichever is larger")
    func pngFrames() throws {
        let announced = SamplePicture.pngChunk("acTL", SamplePicture.big(500) + SamplePicture.big(0))
        #expect(try ImageHeader(SamplePicture.png(width: 10, height: 10, extra: announced)).pixels == 50_000)
        let huge = SamplePicture.pngChunk("acTL", SamplePicture.big(.max) + SamplePicture.big(0))
        let flood = try ImageHeader(SamplePicture.png(width: 2_147_483_647, height: 2_147_483_647, extra: huge))
        #expect(flood.pixels == .max)
        let control = SamplePicture.pngChunk("fcTL", [UInt8](repeating: 0, count: 26))
        let existing = SamplePicture.png(width: 10, height: 10, extra: control + control + control)
        #expect(try ImageHeader(existing).frames == 3)
    }

    @Test("the pixels of a WebP are the sum over its frames, and contradictory sizes throw .malformed")
    func webPFrames() throws {
        let canvas = SamplePicture.webPCanvas(width: 100, height: 50, isAnimated: true)
        let frame = SamplePicture.webPFrame(
            width: 8, height: 8, image: SamplePicture.webPImage(width: 8, height: 8))
        let animation = try ImageHeader(SamplePicture.webP(canvas + frame + frame))
        #expect((animation.width, animation.height, animation.frames, animation.pixels) == (100, 50, 2, 10_000))
        let contradiction = SamplePicture.webPFrame(
            width: 8, height: 8, image: SamplePicture.webPImage(width: 16_000, height: 16_000))
        #expect(throws: ImageFault.malformed) { try ImageHeader(SamplePicture.webP(canvas + contradiction)) }
        let still = SamplePicture.webPCanvas(width: 8, height: 8, isAnimated: false)
        let image = SamplePicture.webPImage(width: 16_000, height: 16_000)
        #expect(throws: ImageFault.malformed) { try ImageHeader(SamplePicture.webP(still + image)) }
        #expect(throws: ImageFault.malformed) { try ImageHeader(SamplePicture.webP(still)) }
        let twice = SamplePicture.webPImage(width: 8, height: 8)
        #expect(throws: ImageFault.malformed) { try ImageHeader(SamplePicture.webP(still + twice + twice)) }
    }

    @Test("the pixels of an AVIF are those of its compressed data if the file states fewer")
    func avifPixels() throws {
        let header = try ImageHeader(SamplePicture.avif(size: (8, 5)))
        #expect((header.width, header.height, header.pixels) == (8, 5, 16 * 9))
        // The header of a sequence of 65,536 by 65,536 pixels: all bits of the sizes and of their lengths are set.
        let huge: [UInt8] = [0x0A, 7, 0x18, 0x3F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
        #expect(try ImageHeader(SamplePicture.avif(image: huge)).pixels == 65_536 * 65_536)
        #expect(throws: ImageFault.self) {
            try ImageHeader(SamplePicture.avif(image: [UInt8](repeating: 0, count: 50)))
        }
    }

    @Test("an image without pixels throws .noPixels")
    func empty() {
        #expect(throws: ImageFault.noPixels) { try ImageHeader(SamplePicture.png(width: 0, height: 9)) }
        #expect(throws: ImageFault.noPixels) { try ImageHeader(SamplePicture.png(width: 16, height: 0)) }
        #expect(throws: ImageFault.noPixels) { try ImageHeader(SamplePicture.jpeg(width: 0, height: 9)) }
        #expect(throws: ImageFault.noPixels) { try ImageHeader(SamplePicture.jpeg(width: 16, height: 0)) }
        #expect(throws: ImageFault.noPixels) {
            try ImageHeader(SamplePicture.gif(width: 16, height: 9, frames: [(16, 0)]))
        }
        var webP = SamplePicture.lossyWebP
        (webP[26], webP[27]) = (0, 0)
        #expect(throws: ImageFault.noPixels) { try ImageHeader(webP) }
    }

    @Test("a PNG with a wrong CRC, an invalid header or an unknown critical chunk throws .malformed")
    func pngHeader() {
        var file = SamplePicture.png
        file[19] = 200
        #expect(throws: ImageFault.malformed) { try ImageHeader(file) }
        for rest: [UInt8] in [[3, 2, 0, 0, 0], [8, 5, 0, 0, 0], [8, 2, 1, 0, 0], [8, 2, 0, 1, 0], [8, 2, 0, 0, 2]] {
            let header = SamplePicture.pngHeader(width: 1, height: 1, rest: rest)
            let end = SamplePicture.pngChunk("IDAT", [1]) + SamplePicture.pngChunk("IEND", [])
            #expect(throws: ImageFault.malformed) { try ImageHeader(SamplePicture.pngSignature + header + end) }
        }
        for extra in ["IHDR", "ABCD", "IDaT", "A1cd"] {
            let chunk = SamplePicture.pngChunk(extra, [0, 0, 0, 1])
            #expect(throws: ImageFault.malformed) {
                try ImageHeader(SamplePicture.png(width: 1, height: 1, extra: chunk))
            }
        }
    }

    @Test("a JPEG with two frame headers throws .malformed, and the size of a thumbnail in a JPEG is ignored")
    func jpegFrames() throws {
        let small = SamplePicture.jpeg(width: 8, height: 8)
        let frame = Array(small[2..<15])
        var twice = small
        twice.insert(contentsOf: SamplePicture.jpeg(width: 9_000, height: 9_000)[2..<15], at: 2 + frame.count)
        #expect(throws: ImageFault.malformed) { try ImageHeader(twice) }
        let thumbnail = SamplePicture.jpeg(width: 160, height: 120)
        let length = Array(SamplePicture.little(UInt16(thumbnail.count + 2)).reversed())
        let segment: [UInt8] = [0xFF, 0xE1] + length + thumbnail
        #expect(try ImageHeader(Array(small[..<2]) + segment + Array(small[2...])).width == 8)
        // In scan data, FF followed by 00 is a data byte, FF followed by D0 to D7 is a restart marker, and FF followed
        // by FF is a fill byte.
        let scan: [UInt8] = [0xFF, 0, 0xFF, 0xD0, 1, 0xFF, 0xD7, 2, 0xFF, 0xFF]
        #expect(try ImageHeader(SamplePicture.jpeg(width: 8, height: 8, scan: scan)).width == 8)
    }

    @Test("the header of a file of 5 MiB is read in linear time", .timeLimit(.minutes(1)))
    func large() throws {
        let size = 5 << 20
        let scan = Array(repeatElement([0xFF, 0x00] as [UInt8], count: size / 2).joined())
        #expect(try ImageHeader(SamplePicture.jpeg(width: 8, height: 8, scan: scan)).width == 8)
        #expect(try ImageHeader(SamplePicture.png(width: 8, height: 8, data: size)).width == 8)
        let frames = [(UInt16, UInt16)](repeating: (1, 1), count: size / 23)
        #expect(try ImageHeader(SamplePicture.gif(width: 1, height: 1, frames: frames)).frames == size / 23)
        #expect(throws: ImageFault.truncated) {
            try ImageHeader([0xFF, 0xD8] + [UInt8](repeating: 0xFF, count: size))
        }
    }
}
