/// Numbers as people read them. Foundation's formatter is not used, because the tools link FoundationEssentials only.
package enum NumberText {
    /// Returns a number with a fixed number of digits after the point.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let scale = (0..<digits).reduce(1) { product, _ in product * 10 }
        let scaled = Int((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % scale)
        return "\(sign)\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// Returns a number rounded to an integer, with commas between groups of three digits.
    package static func grouped(_ value: Double) -> String {
        let digits = Array(fixed(abs(value), 0))
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// Returns milliseconds: two decimals below 10, one below 100, otherwise none.
    package static func milliseconds(_ value: Double) -> String {
        fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0)
    }
}

extension String {
    /// Adds spaces before the text until it has a number of characters.
    func right(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }

    /// Adds spaces after the text until it has a number of characters.
    func left(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// The text without the spaces at its end.
    var withoutTrailingSpaces: String { String(reversed().drop { $0 == " " }.reversed()) }
}
