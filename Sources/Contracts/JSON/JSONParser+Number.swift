internal import ASCII

extension JSONParser {
    /// Reads a number from its sign or first digit.
    mutating func number() throws(JSONFault) -> JSON {
        let start = position
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let leadsWithZero = current == UInt8(ascii: "0")
        let digits = position
        var whole: Int64? = 0
        while let byte = current, let digit = Self.decimal(byte) {
            whole = Self.append(digit, to: whole, isNegative: isNegative)
            position += 1
        }
        try requireDigit(since: digits)
        if leadsWithZero, position - digits > 1 { throw JSONFault(reason: .invalidNumber, offset: digits) }
        if current != UInt8(ascii: "."), current != UInt8(ascii: "e"), current != UInt8(ascii: "E"),
            let whole
        {
            try checkLength(since: start)
            return .integer(whole)
        }
        try fractionAndExponent()
        try checkLength(since: start)
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        guard let value = Double(text) else { throw JSONFault(reason: .invalidNumber, offset: start) }
        guard value.isFinite else { throw JSONFault(reason: .numberOutOfRange, offset: start) }
        return .double(value)
    }

    private mutating func fractionAndExponent() throws(JSONFault) {
        if current == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        guard current == UInt8(ascii: "e") || current == UInt8(ascii: "E") else { return }
        position += 1
        if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
        try skipDigits()
    }

    private mutating func skipDigits() throws(JSONFault) {
        let start = position
        while let byte = current, Self.decimal(byte) != nil { position += 1 }
        try requireDigit(since: start)
    }

    private func requireDigit(since start: Int) throws(JSONFault) {
        guard position == start else { return }
        throw fault(current == nil ? .endOfInput : .invalidNumber)
    }

    private func checkLength(since start: Int) throws(JSONFault) {
        guard position - start <= limits.numberLength else {
            throw JSONFault(reason: .numberTooLong, offset: start)
        }
    }

    private static func decimal(_ byte: UInt8) -> Int64? {
        byte.isASCIIDigit ? Int64(byte - UInt8(ascii: "0")) : nil
    }

    /// Returns the value with one more decimal digit; `nil` if the result does not fit into `Int64`. The digit of a
    /// negative number is subtracted, because the magnitude of `Int64.min` does not fit into `Int64`.
    private static func append(_ digit: Int64, to value: Int64?, isNegative: Bool) -> Int64? {
        guard let value else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        let (sum, carry) =
            isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
        return carry ? nil : sum
    }
}
