internal import CCurl
internal import Glibc

/// The bytes of a request's body. libcurl reads them while it sends the request. If a reused connection turns out to be
/// closed, libcurl reads them again from the start.
final class CurlBody {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var count: Int { bytes.count }

    /// The pointer that libcurl passes to the callbacks. It does not retain the body.
    var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    /// The callback for CURLOPT_READFUNCTION and for mime parts. The body exists during each call, because the transfer
    /// owns the body and frees its easy handle first.
    static let read: curl_read_callback = { buffer, size, count, context in
        guard let context, let buffer else { return Int(CURL_READFUNC_ABORT) }
        let body = Unmanaged<CurlBody>.fromOpaque(context).takeUnretainedValue()
        return body.read(into: buffer, capacity: size * count)
    }

    /// The callback for CURLOPT_SEEKFUNCTION and for mime parts.
    static let seek: curl_seek_callback = { context, offset, origin in
        guard let context else { return CURL_SEEKFUNC_FAIL }
        let body = Unmanaged<CurlBody>.fromOpaque(context).takeUnretainedValue()
        guard origin == SEEK_SET, offset >= 0, offset <= body.bytes.count else { return CURL_SEEKFUNC_FAIL }
        body.position = Int(offset)
        return CURL_SEEKFUNC_OK
    }

    private func read(into buffer: UnsafeMutablePointer<CChar>, capacity: Int) -> Int {
        let amount = min(capacity, bytes.count - position)
        bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress, amount > 0 else { return }
            _ = memcpy(buffer, start + position, amount)
        }
        position += amount
        return amount
    }
}
