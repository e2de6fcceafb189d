import TestData

/// Valid PNG files with random content, so that two uploads differ.
enum RandomPNG {
    /// Makes an image of 8 by 8 pixels of random colours.
    static func make() -> [UInt8] {
        PNGFile.make(width: 8, height: 8) { UInt8.random(in: 0...255) }
    }
}
