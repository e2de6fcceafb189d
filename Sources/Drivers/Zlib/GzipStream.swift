internal import CZlib

/// Compresses bytes in the gzip format (RFC 1952), part by part.
///
/// The object must be used by one thread at a time. It has about 270 KiB of working memory.
package final class GzipStream {
    /// zlib.h: the state that the stream points to points back to it, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter level: from 1, the fastest, to 9, the smallest result.
    /// - Returns: `nil` if there is not enough memory.
    package init?(level: Int) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard warren_gzip_init(stream, Int32(level)) == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Compresses the next part of the input and appends the result to `output`. After the last part, the stream is
    /// ready for another input.
    ///
    /// - Parameter isLast: whether the input ends with this part.
    package func compress(_ part: ArraySlice<UInt8>, isLast: Bool, to output: inout [UInt8]) {
        part.withUnsafeBufferPointer { input in
            // zlib.h: deflate only reads the input, although `next_in` is not const.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = UInt32(input.count)
            // zlib.h: with this much space, one call suffices if no input is pending. The loop covers the other case.
            let space = Int(deflateBound(stream, UInt(input.count)))
            repeat {
                output += [UInt8](unsafeUninitializedCapacity: space) { buffer, count in
                    stream.pointee.next_out = buffer.baseAddress
                    stream.pointee.avail_out = UInt32(space)
                    _ = deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                    count = space - Int(stream.pointee.avail_out)
                }
            } while stream.pointee.avail_out == 0
            stream.pointee.next_in = nil
        }
        if isLast { deflateReset(stream) }
    }

    /// Compresses a whole input.
    ///
    /// - Returns: `nil` if there is not enough memory.
    package static func compress(_ bytes: [UInt8], level: Int) -> [UInt8]? {
        guard let stream = GzipStream(level: level) else { return nil }
        var output: [UInt8] = []
        stream.compress(bytes[...], isLast: true, to: &output)
        return output
    }
}
