import Contracts
import FoundationEssentials
import Testing

@testable import WorkerKit

@Suite("Keyset cursor")
struct CursorTests {
    @Test(
        "the text of a cursor is parsed to an equal cursor",
        arguments: [0, 1, -1, 1_700_000_000_123, -62_135_596_800_000, 253_402_300_799_999])
    func roundTrip(_ milliseconds: Int64) throws {
        for _ in 0..<50 {
            let cursor = KeysetCursor(time: Timestamp(milliseconds: milliseconds), id: UUID())
            #expect(try KeysetCursor(cursor.text) == cursor)
            #expect(cursor.text.utf8.count == 32)
            #expect(cursor.text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        }
    }

    @Test(
        "a text that is not the text of a cursor is refused with 422",
        arguments: [
            "", "a", "=", "====", "AAAA", String(repeating: "A", count: 31), String(repeating: "A", count: 33),
            String(repeating: "A", count: 36), String(repeating: "A", count: 10_000), "not a cursor",
            String(repeating: "!", count: 32), String(repeating: "A", count: 31) + "\n",
            String(repeating: "A", count: 31) + "é", String(repeating: "\u{0}", count: 32),
            // The right length, but not base64url: characters of base64, and white space.
            String(repeating: "A", count: 31) + "+", String(repeating: "A", count: 31) + "/",
            String(repeating: "A", count: 32) + "\n", "AAAA" + " " + String(repeating: "A", count: 28),
            // The smallest and the largest 64-bit times, which are outside the years 1 to 9999.
            "gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "f_________8AAAAAAAAAAAAAAAAAAAAA",
        ])
    func invalid(_ text: String) {
        let problem = #expect(throws: Problem.self) { try KeysetCursor(text) }
        #expect(problem?.status == 422)
        #expect(problem?.faults.map(\.pointer) == ["/cursor"])
    }
}
