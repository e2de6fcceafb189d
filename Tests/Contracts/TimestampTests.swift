import Contracts
import FoundationEssentials
import TestData
import TestSupport
import Testing

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "a timestamp is written in RFC 3339 with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_738_314_300_123, "2025-01-31T09:05:00.123Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (.max, "9999-12-31T23:59:59.999Z"),
            (.min, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func written(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).text == text)
    }

    @Test("a timestamp is unchanged after it is written and parsed", arguments: 0..<100 as Range<UInt64>)
    func roundTrip(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let time = Timestamp(milliseconds: .random(in: -62_167_219_200_000...253_402_300_799_999, using: &random))
        #expect(Timestamp(text: time.text) == time)
    }

    @Test(
        "a timestamp is parsed with any offset and any fraction",
        arguments: [
            ("2025-01-31T09:05:00Z", 1_738_314_300_000), ("2025-01-31t09:05:00.1z", 1_738_314_300_100),
            ("2025-01-31T10:05:00.123999+01:00", 1_738_314_300_123),
            ("2025-01-31T03:35:00.123-05:30", 1_738_314_300_123),
        ] as [(String, Int64)])
    func read(text: String, milliseconds: Int64) {
        #expect(Timestamp(text: text)?.milliseconds == milliseconds)
    }

    @Test(
        "an invalid timestamp is refused",
        arguments: [
            "", "2025-01-31", "2025-01-31T09:05:00", "2025-01-31 09:05:00Z", "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-00-01T00:00:00Z", "2025-01-00T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z",
            "2025-01-01T00:00:60Z",
            "2025-01-01T00:00:00.Z", "2025-01-01T00:00:00Zx", "2025-01-01T00:00:00+24:00", "2025-01-01T00:00:00+0100",
            "+025-01-01T00:00:00Z", "2025-01-01T00:00:00.1234567890123456789012345678901234567890123Z_",
        ])
    func refused(text: String) {
        #expect(Timestamp(text: text) == nil)
    }

    @Test("arithmetic with extreme timestamps is clamped instead of overflowing")
    func bounds() {
        #expect(Timestamp(milliseconds: .max).advanced(by: .seconds(1)).milliseconds == .max)
        #expect(Timestamp(milliseconds: .min).advanced(by: .seconds(-1)).milliseconds == .min)
        #expect(Timestamp(milliseconds: .max).since(Timestamp(milliseconds: .min)) == .milliseconds(Int64.max))
        #expect(Timestamp(Date(timeIntervalSince1970: 1e300)).milliseconds == .max)
        #expect(Timestamp(milliseconds: 5).advanced(by: .milliseconds(7)).milliseconds == 12)
    }

    @Test("the current timestamp agrees with the system clock")
    func now() {
        let (first, date, second) = (Timestamp.now(), Date(), Timestamp.now())
        #expect(first <= second)
        #expect(abs(date.timeIntervalSince(first.date)) < 60)
    }
}
