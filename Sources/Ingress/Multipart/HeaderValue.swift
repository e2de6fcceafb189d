internal import ASCII

/// A header value of the form `type; name=value; name="value"` (RFC 9110 §5.6.6).
struct HeaderValue {
    /// The part before the first semicolon, in lower case.
    let type: String
    /// The parameters in their order. Names are in lower case, and values are without quotes and escapes.
    private(set) var parameters: [(name: String, value: [UInt8])] = []

    /// Parses a value; returns `nil` if it is malformed.
    ///
    /// - Parameters:
    ///   - bytes: the header's value.
    ///   - unquoted: returns whether a byte may occur in an unquoted parameter value.
    init?(_ bytes: some Sequence<UInt8>, unquoted: (UInt8) -> Bool = { $0.isToken }) {
        var rest = ArraySlice(Array(bytes))
        rest.skipBlanks()
        let type = rest.take { $0.isToken || $0 == UInt8(ascii: "/") }
        guard !type.isEmpty else { return nil }
        self.type = type.lowercasedASCII
        rest.skipBlanks()
        while let separator = rest.popFirst() {
            guard separator == UInt8(ascii: ";") else { return nil }
            rest.skipBlanks()
            guard !rest.isEmpty else { return }
            let name = rest.take { $0.isToken }
            guard !name.isEmpty, rest.popFirst() == UInt8(ascii: "=") else { return nil }
            let value: [UInt8]
            if rest.first == UInt8(ascii: "\"") {
                guard let quoted = rest.takeQuoted() else { return nil }
                value = quoted
            } else {
                value = Array(rest.take(while: unquoted))
            }
            parameters.append((name.lowercasedASCII, value))
            rest.skipBlanks()
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate mutating func skipBlanks() {
        _ = take(while: \.isBlank)
    }

    fileprivate mutating func take(while belongs: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let taken = prefix(while: belongs)
        self = self[taken.endIndex...]
        return taken
    }

    /// Takes a quoted string; returns `nil` if its closing quote is missing.
    ///
    /// A backslash escapes only a quote or a backslash, because some clients send Windows paths without escaping
    /// them.
    fileprivate mutating func takeQuoted() -> [UInt8]? {
        removeFirst()
        var value: [UInt8] = []
        while let byte = popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                return value
            case UInt8(ascii: "\\"):
                if let escaped = first, escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\") {
                    value.append(escaped)
                    removeFirst()
                } else {
                    value.append(byte)
                }
            default:
                value.append(byte)
            }
        }
        return nil
    }
}

extension UInt8 {
    /// Whether the byte is a control character. The tab is a control character too.
    var isControl: Bool {
        self < 0x20 || self == 0x7F
    }
}
