extension Timestamp {
    /// The time in RFC 3339, in UTC with milliseconds, for example `2025-01-31T09:05:00.123Z`. A time outside the years
    /// 0000 to 9999 is clamped to this range.
    package var text: String {
        asciiText.span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    /// Parses an RFC 3339 date-time with any offset. Fractions below a millisecond are discarded.
    package init?(text: String) {
        var reader = DateTimeReader(text: text)
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2), reader.skip("Tt"), let hour = reader.number(2), reader.skip(":"),
            let minute = reader.number(2), reader.skip(":"), let second = reader.number(2),
            let fraction = reader.milliseconds(), let offset = reader.offsetMinutes(), reader.isAtEnd,
            (1...12).contains(month), day >= 1, day <= Self.days(inMonth: month, of: year),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let minutes = (Self.days(year: year, month: month, day: day) * 24 + hour) * 60 + minute - offset
        self.init(milliseconds: (minutes * 60 + second) * 1000 + fraction)
    }

    /// ``text`` as ASCII bytes.
    var asciiText: InlineArray<24, UInt8> {
        let (least, most): (Int64, Int64) = (-62_167_219_200_000, 253_402_300_799_999)
        let bounded = min(max(milliseconds, least), most)
        let dayLength: Int64 = 86_400_000
        let days = bounded >= 0 ? bounded / dayLength : (bounded - dayLength + 1) / dayLength
        let rest = bounded - days * dayLength
        let (year, month, day) = Self.date(days: days)
        var text = InlineArray<24, UInt8>(repeating: 0)
        func put(_ value: Int64, _ width: Int, at start: Int, then separator: Unicode.Scalar) {
            var value = value
            for index in stride(from: start + width - 1, through: start, by: -1) {
                text[index] = UInt8(ascii: "0") + UInt8(value % 10)
                value /= 10
            }
            text[start + width] = UInt8(ascii: separator)
        }
        put(year, 4, at: 0, then: "-")
        put(month, 2, at: 5, then: "-")
        put(day, 2, at: 8, then: "T")
        put(rest / 3_600_000, 2, at: 11, then: ":")
        put(rest / 60_000 % 60, 2, at: 14, then: ":")
        put(rest / 1000 % 60, 2, at: 17, then: ".")
        put(rest % 1000, 3, at: 20, then: "Z")
        return text
    }
}

// Conversion between days since 1970 and dates of the proleptic Gregorian calendar. The year of the computation starts
// in March, so that the leap day is the last day of the year. An era is 400 years, or 146,097 days.
extension Timestamp {
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}

extension JSONWriter {
    /// Writes a time as an RFC 3339 string.
    package mutating func timestamp(_ value: Timestamp) {
        let text = value.asciiText
        plainString(text.span)
    }
}
