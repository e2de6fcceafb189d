/// A header's value of the form `type; name=value; name="value"` (RFC 9110 §5.6.6), its parameters in order.
struct HeaderValue {
    /// What stands before the first semicolon, in lower case.
    let type: String
    /// The parameters with their names in lower case, quotes and escapes removed from their values.
    private(set) var parameters: [(name: String, value: [UInt8])] = []

    /// Parses a value.
    ///
    /// - Parameters:
    ///   - bytes: the header's value.
    ///   - unquoted: which bytes may stand in a parameter's value without quotes.
    /// - Returns: nil where the value is malformed.
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
        _ = take { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    fileprivate mutating func take(while belongs: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let taken = prefix(while: belongs)
        self = self[taken.endIndex...]
        return taken
    }

    /// Takes a quoted string; nil where its closing quote is missing.
    ///
    /// A backslash escapes only a quote or another backslash: some clients send whole Windows paths as they are.
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

    /// The bytes as a string, ASCII capitals made small.
    fileprivate var lowercasedASCII: String {
        String(decoding: map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

extension UInt8 {
    var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            false
        }
    }

    /// Whether the byte may stand in a token (RFC 9110 §5.6.2).
    var isToken: Bool {
        isLetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains(self)
    }

    /// Whether the byte is a control character, the tab included.
    var isControl: Bool {
        self < 0x20 || self == 0x7F
    }
}
