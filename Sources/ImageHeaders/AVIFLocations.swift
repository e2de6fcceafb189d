/// Where the data of the items in an AVIF file is: the box `iloc` (ISO/IEC 14496-12, section 8.11.3).
struct AVIFLocations {
    private struct Extent {
        let item: Int
        /// 0 if the position is one of the file, 1 if it is one of the box `idat`.
        let method: Int
        let isExternal: Bool
        let base: Int
        let offset: Int
        let length: Int
    }

    private var extents: [Extent] = []

    init() {}

    /// Reads the box and keeps it.
    init(_ box: MediaBox, _ layout: inout FixedLayout) throws(ImageFault) {
        var (content, version, _) = try box.versioned()
        guard version <= 2 else { throw .malformed }
        let sizes = try content.bigEndian(2)
        let (offsetSize, lengthSize, baseSize) = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15)
        let indexSize = version == 0 ? 0 : sizes & 15
        guard [offsetSize, lengthSize, baseSize, indexSize].allSatisfy({ [0, 4, 8].contains($0) }) else {
            throw .malformed
        }
        for _ in 0..<(try content.bigEndian(version == 2 ? 4 : 2)) {
            try layout.count()
            let id = try content.bigEndian(version == 2 ? 4 : 2)
            let method = version == 0 ? 0 : try content.bigEndian(2) & 15
            let isExternal = try content.bigEndian(2) != 0
            let base = try content.bigEndian(baseSize)
            for _ in 0..<(try content.bigEndian(2)) {
                try layout.count()
                try content.skip(indexSize)
                let (offset, length) = (try content.bigEndian(offsetSize), try content.bigEndian(lengthSize))
                guard length > 0 else { continue }
                extents.append(
                    Extent(
                        item: id, method: method, isExternal: isExternal, base: base, offset: offset, length: length))
            }
        }
        layout.keep(box.range.lowerBound..<content.position)
    }

    /// Returns the ranges of the file with the data of the given items.
    ///
    /// - Parameter inner: the content of the box `idat`.
    func ranges(of items: Set<Int>, inner: Range<Int>?) throws(ImageFault) -> [Int: [Range<Int>]] {
        var ranges: [Int: [Range<Int>]] = [:]
        for extent in extents where items.contains(extent.item) {
            guard !extent.isExternal, extent.method <= 1 else { throw .malformed }
            guard let origin = extent.method == 0 ? 0 : inner?.lowerBound else { throw .malformed }
            let (position, overflow) = extent.base.addingReportingOverflow(extent.offset)
            let (start, startOverflow) = position.addingReportingOverflow(origin)
            let (end, endOverflow) = start.addingReportingOverflow(extent.length)
            guard !overflow, !startOverflow, !endOverflow else { throw .malformed }
            if extent.method == 1, let inner, end > inner.upperBound { throw .truncated }
            ranges[extent.item, default: []].append(start..<end)
        }
        return ranges
    }
}
