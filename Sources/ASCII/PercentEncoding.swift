/// Percent-encoding (RFC 3986, section 2.1).
package enum PercentEncoding {
    /// Decodes a component of a URL.
    ///
    /// - Parameter plusIsSpace: whether a plus sign decodes to a space, as in a query.
    /// - Returns: the text; `nil` if a percent sign is not followed by two hexadecimal digits or the result is not
    ///   UTF-8.
    package static func decode(_ component: some Collection<UInt8>, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(component.count)
        var rest = component.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next()?.hexadecimalDigit, let low = rest.next()?.hexadecimalDigit else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace:
                bytes.append(UInt8(ascii: " "))
            default:
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Encodes a text, except ASCII letters, digits and the bytes that `isAllowed` accepts.
    package static func encode(_ text: String, except isAllowed: (UInt8) -> Bool) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if byte.isASCIILetterOrDigit || isAllowed(byte) {
                bytes.append(byte)
            } else {
                bytes += "%\(CollectionOfOne(byte).hexadecimal.uppercased())".utf8
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
