internal import TestData

/// A PNG of almost 1 MiB: 590 by 590 pixels of random colours, not compressed.
package enum LargePicture {
    private static let side = 590

    /// Returns the bytes of the picture.
    package static func png() -> [UInt8] {
        var generator = SeededGenerator(seed: 2)
        return PNGFile.make(width: side, height: side) { UInt8.random(in: 0...255, using: &generator) }
    }
}
