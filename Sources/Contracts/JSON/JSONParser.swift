extension JSON {
    /// Parses a JSON document (RFC 8259). Duplicate names and trailing bytes are faults. A byte order mark at the
    /// beginning is skipped, because some systems write one (section 8.1).
    ///
    /// - Throws: the first fault.
    package static func parse(_ bytes: [UInt8], limits: JSONLimits = .request) throws(JSONFault) -> JSON {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONFault) -> JSON in
            try parse(buffer, limits: limits)
        }
    }

    /// Parses a JSON document in memory that must stay valid during the call.
    package static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits = .request
    ) throws(JSONFault) -> JSON {
        guard bytes.count <= limits.bytes else { throw JSONFault(reason: .tooLarge, offset: limits.bytes) }
        var parser = JSONParser(bytes: bytes, limits: limits)
        return try parser.document()
    }
}

/// A recursive descent parser over one buffer. `limits.depth` bounds the recursion.
///
/// `Sources/Contracts/README.md` explains why the parser of Foundation is not used.
struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let limits: JSONLimits
    var position = 0

    init(bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(JSONFault) -> JSON {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { position = 3 }
        let value = try value(depth: 0)
        if skipWhitespace() != nil { throw fault(.trailingBytes) }
        return value
    }

    private mutating func value(depth: Int) throws(JSONFault) -> JSON {
        guard let byte = skipWhitespace() else { throw fault(.endOfInput) }
        switch byte {
        case UInt8(ascii: "\""):
            position += 1
            return .string(try string())
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: throw fault(.unexpectedByte)
        }
    }

    private mutating func array(depth: Int) throws(JSONFault) -> [JSON] {
        guard depth <= limits.depth else { throw fault(.tooDeep) }
        position += 1
        var elements: [JSON] = []
        if skipWhitespace() == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            elements.append(try value(depth: depth))
            switch skipWhitespace() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return elements
            case nil: throw fault(.endOfInput)
            default: throw fault(.unexpectedByte)
            }
        }
    }

    private mutating func object(depth: Int) throws(JSONFault) -> JSONObject {
        guard depth <= limits.depth else { throw fault(.tooDeep) }
        position += 1
        var object = JSONObject()
        if skipWhitespace() == UInt8(ascii: "}") {
            position += 1
            return object
        }
        var names = JSONNameSet()
        while true {
            try expect(UInt8(ascii: "\""))
            let start = position - 1
            let name = try string()
            guard names.insert(name, among: object.members) else {
                throw JSONFault(reason: .duplicateName, offset: start)
            }
            try expect(UInt8(ascii: ":"))
            object.members.append(JSONObject.Member(name: name, value: try value(depth: depth)))
            switch skipWhitespace() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return object
            case nil: throw fault(.endOfInput)
            default: throw fault(.unexpectedByte)
            }
        }
    }
}

extension JSONParser {
    func fault(_ reason: JSONFault.Reason) -> JSONFault {
        JSONFault(reason: reason, offset: position)
    }

    /// The byte at the position; `nil` at the end.
    var current: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    /// Moves to the next byte that is not white space and returns it; `nil` at the end.
    mutating func skipWhitespace() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            case let byte: return byte
            }
        }
        return nil
    }

    private mutating func expect(_ byte: UInt8) throws(JSONFault) {
        guard let found = skipWhitespace() else { throw fault(.endOfInput) }
        guard found == byte else { throw fault(.unexpectedByte) }
        position += 1
    }

    private mutating func literal(_ text: StaticString, _ value: JSON) throws(JSONFault) -> JSON {
        for index in 0..<text.utf8CodeUnitCount {
            guard let byte = current else { throw fault(.endOfInput) }
            guard byte == text.utf8Start[index] else { throw fault(.unexpectedByte) }
            position += 1
        }
        return value
    }
}
