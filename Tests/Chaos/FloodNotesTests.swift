import ChaosKit
import Testing

@Suite struct FloodNotesTests {
    @Test func `the notes of a flood tell which posts were created, refused, or have no response`() throws {
        var notes = FloodNotes()
        try notes.add(
            """
            sent\t3\tflood 0 1-1
            post\t201\tflood 0 1-1\t{"content":"flood 0 1-1","id":"p1"}
            list\t200
            sent\t5\tflood 0 1-3
            post\t429\tflood 0 1-3\t
            list\t429
            no-retry-after\t429
            sent\t7\tflood 0 1-5

            """)
        #expect(notes.posts.count == 3)
        #expect(notes.posts["flood 0 1-1"]?.account == 3)
        #expect(notes.posts["flood 0 1-1"]?.status == 201)
        #expect(notes.posts["flood 0 1-1"]?.id == "p1")
        #expect(notes.posts["flood 0 1-3"]?.status == 429)
        #expect(notes.posts["flood 0 1-3"]?.id == nil)
        #expect(notes.posts["flood 0 1-5"]?.status == nil)
        #expect(notes.countsByStatus == [200: 1, 201: 1, 429: 2])
        #expect(notes.responses == 4)
        #expect(notes.refusalsWithoutRetryAfter == 1)
    }

    @Test(arguments: ["sent\tx\tmark", "post\t201\tmark", "list", "other\t1"])
    func `a malformed line in the notes of a flood is an error`(_ line: String) {
        var notes = FloodNotes()
        #expect(throws: FloodNotes.Malformed.self) { try notes.add(line) }
    }
}
