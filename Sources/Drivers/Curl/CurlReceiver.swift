internal import CCurl

/// Collects the headers and the body of a response while libcurl receives it.
final class CurlReceiver {
    private let maximumSize: Int
    private(set) var body: [UInt8] = []
    private(set) var headers: [(name: String, value: String)] = []
    private(set) var isTooLarge = false

    init(maximumSize: Int) {
        self.maximumSize = maximumSize
    }

    /// The pointer that libcurl passes to the callbacks. It does not retain the receiver.
    var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    /// The callback for CURLOPT_WRITEFUNCTION. libcurl ends the transfer if the result is not the number of bytes that
    /// it passed.
    static let write: curl_write_callback = { bytes, size, count, context in
        guard let context, let bytes else { return 0 }
        let receiver = Unmanaged<CurlReceiver>.fromOpaque(context).takeUnretainedValue()
        let content = UnsafeRawBufferPointer(start: bytes, count: size * count)
        guard receiver.body.count + content.count <= receiver.maximumSize else {
            receiver.isTooLarge = true
            return 0
        }
        receiver.body.append(contentsOf: content)
        return content.count
    }

    /// The callback for CURLOPT_HEADERFUNCTION. libcurl passes one line per call, including status lines, and limits
    /// the size of a line.
    static let header: curl_write_callback = { bytes, size, count, context in
        guard let context, let bytes else { return 0 }
        let receiver = Unmanaged<CurlReceiver>.fromOpaque(context).takeUnretainedValue()
        receiver.receive(line: UnsafeRawBufferPointer(start: bytes, count: size * count))
        return size * count
    }

    private func receive(line: UnsafeRawBufferPointer) {
        if line.starts(with: "HTTP/".utf8) {
            // The headers so far belong to an interim response, such as 100 Continue.
            headers = []
            return
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return }
        let value = line[(colon + 1)...].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let end = value.lastIndex { $0 > UInt8(ascii: " ") }.map { $0 + 1 } ?? value.startIndex
        headers.append(
            (
                name: String(decoding: line[..<colon], as: UTF8.self),
                value: String(decoding: value[..<end], as: UTF8.self)
            ))
    }
}
