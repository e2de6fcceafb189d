/// The box `moov` of an animated AVIF file (ISO/IEC 14496-12, section 8): the track with the pictures, and the tracks
/// with their transparency. All other tracks become free space, for example one with positions.
struct AVIFMovie {
    /// The number of frames.
    let frames: Int
    /// The number of pixels that a decoder processes for a frame.
    private(set) var frameArea = 0
    /// The picture as a browser shows it if the file is an image sequence.
    let transforms: AVIFTransforms
    /// The ranges of the file with the frames.
    private(set) var chunks: [Range<Int>] = []

    /// Reads the box, and keeps all of it except for metadata.
    ///
    /// - Parameter file: a reader of the file.
    init(_ box: MediaBox, in file: ByteReader, _ layout: inout FixedLayout) throws(ImageFault) {
        var tracks: [AVIFTrack] = []
        layout.keepHeader(box)
        var content = box.content
        while let child = try content.nextBox(&layout) {
            switch child.type {
            case "trak": tracks.append(try AVIFTrack(child, &layout))
            case "mvhd": try AVIFTrack.keepHeaderWithoutTimes(child, &layout)
            default: layout.free(child)
            }
        }
        guard let picture = tracks.first(where: { $0.handler == "pict" && $0.masters.isEmpty }),
            let samples = try picture.samples(&layout)
        else { throw .malformed }
        frames = samples.count
        transforms = try picture.transforms()
        guard frames > 0 else { throw .malformed }
        for track in tracks {
            let isPicture = track.box.range == picture.box.range
            let isAlpha = track.handler == "auxv" && track.masters.contains(picture.id)
            guard isPicture || isAlpha else {
                layout.free(track.box)
                continue
            }
            try track.keep(&layout)
            guard let samples = isPicture ? samples : try track.samples(&layout), let first = samples.chunks.first
            else { throw .malformed }
            chunks += samples.chunks
            let sequence = try AV1Sequence.maximumSize(in: try file.reader(of: [first]))
            frameArea = max(frameArea, track.statedArea, sequence.area)
        }
    }
}
