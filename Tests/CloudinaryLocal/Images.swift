import Foundation
import TestSupport

/// Real images of 16 by 9 pixels, one of each kind.
enum Images {
    static let png = Data(SamplePicture.png)
    static let gif = Data(SamplePicture.gif)
    static let jpeg = Data(SamplePicture.jpeg)
    static let progressiveJPEG = Data(SamplePicture.progressiveJPEG)
    static let lossyWebP = Data(SamplePicture.lossyWebP)
    static let losslessWebP = Data(SamplePicture.losslessWebP)
    static let extendedWebP = Data(SamplePicture.extendedWebP)
}
