import FoundationEssentials
import Postgres
import Reactor
import Testing

@Suite("Parameters and columns", .serialized)
struct TypeTests {
    /// Sends a value as a parameter of a type, and reads it back from a column of that type.
    @Loop private func echo<Value: PostgresEncodable & PostgresDecodable>(
        _ pool: PostgresPool, _ value: Value, _ type: String
    ) async throws -> Value {
        let rows = try await pool.query(Statement("SELECT $1::\(type)"), value)
        return try #require(rows.first).get(0)
    }

    @Loop private func check<Value: PostgresEncodable & PostgresDecodable & Equatable>(
        _ pool: PostgresPool, _ value: Value, _ type: String
    ) async throws {
        let echoed = try await echo(pool, value, type)
        #expect(echoed == value)
    }

    @Test("values of every type, including the smallest and the largest, are sent and read back unchanged")
    @Loop func roundTrips() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool { pool in
                for text in ["", "plain", "ünïcödé 🐇", "'; DROP TABLE posts; --", "\\x00 \u{1} \u{FFFD}"] {
                    try await check(pool, text, "text")
                    try await check(pool, text, "varchar")
                    try await check(pool, [text, ""], "text[]")
                }
                for value in [Int64.min, -1, 0, 1, .max] {
                    try await check(pool, value, "int8")
                    try await check(pool, Int(value), "int8")
                    try await check(pool, [value], "int8[]")
                }
                for value in [Int32.min, 0, .max] { try await check(pool, value, "int4") }
                for value in [Int16.min, 0, .max] { try await check(pool, value, "int2") }
                for value in [true, false] { try await check(pool, value, "bool") }
                for value in [0, -1.5, .pi, .infinity, Double.leastNonzeroMagnitude] {
                    try await check(pool, value, "float8")
                }
                let nan = try await echo(pool, Double.nan, "float8")
                #expect(nan.isNaN)
                try await check(pool, Float(1.5), "float4")
                let id = UUID()
                try await check(pool, id, "uuid")
                try await check(pool, [id, UUID(), id], "uuid[]")
                let bytes = (0...255).map { UInt8($0) }
                try await check(pool, bytes, "bytea")
                try await check(pool, [UInt8](), "bytea")
                try await check(pool, [[], bytes, [0]], "bytea[]")
                try await check(pool, ["a", nil, ""] as [String?], "text[]")
                try await check(pool, [nil, id] as [UUID?], "uuid[]")
                try await check(pool, [1, nil, -1] as [Int?], "int8[]")
            }
        }
    }

    @Test("timestamps are read back to the microsecond, before and after 1970 and 2000, and also if they are infinite")
    @Loop func timestamps() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool { pool in
                for microseconds in [0, 1, -1, 946_684_800_000_000, 1_700_000_000_123_456, .max, .min] as [Int64] {
                    let value = PostgresTimestamp(microseconds: microseconds)
                    try await check(pool, value, "timestamptz")
                }
                let text = "2023-11-14T22:13:20.123456Z"
                let value = PostgresTimestamp(microseconds: 1_700_000_000_123_456)
                let rows = try await pool.query(Statement("SELECT $1::text::timestamptz = $2"), text, value)
                #expect(try rows.first?.get(0, as: Bool.self) == true)
                #expect(PostgresTimestamp(milliseconds: -1).milliseconds == -1)
                #expect(PostgresTimestamp(microseconds: -1).milliseconds == -1)
            }
        }
    }

    @Test("NULL is read as nil of an optional type, and reading it as another type throws .decoding")
    @Loop func nulls() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool { pool in
                try await check(pool, String?.none, "text")
                try await check(pool, Int?.none, "int8")
                try await check(pool, UUID?.none, "uuid")
                try await check(pool, PostgresTimestamp?.none, "timestamptz")
                try await check(pool, [UInt8]?.none, "bytea")
                try await check(pool, [String]?.none, "text[]")
                try await check(pool, Int?.some(3), "int8")
                let row = try #require(try await pool.query(Statement("SELECT NULL::text AS note")).first)
                let error = #expect(throws: PostgresError.self) { try row.get(0, as: String.self) }
                #expect(error?.code == .decoding)
                #expect(error?.column == "note")
            }
        }
    }

    @Test("an empty array can be read; reading an array with NULL as non-optional or with two dimensions throws")
    @Loop func arrays() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool { pool in
                try await check(pool, [String](), "text[]")
                try await check(pool, [UUID](), "uuid[]")
                let rows = try await pool.query(Statement("SELECT ARRAY['a', NULL], ARRAY[[1, 2], [3, 4]]"))
                let row = try #require(rows.first)
                #expect(throws: PostgresError.self) { try row.get(0, as: [String].self) }
                #expect(throws: PostgresError.self) { try row.get(1, as: [Int].self) }
                let any = try await pool.query(
                    Statement("SELECT n FROM generate_series(1, 5) n WHERE n = ANY($1) ORDER BY n"), [2, 4, 9])
                #expect(try any.map { row throws in try row.get(0, as: Int.self) } == [2, 4])
            }
        }
    }

    @Test("JSON is written as text and read as text or bytes")
    @Loop func json() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool { pool in
                let json = #"{"a": [1, "ü"]}"#
                for type in ["json", "jsonb"] {
                    try await check(pool, json, type)
                    let rows = try await pool.query(Statement("SELECT $1::\(type)"), json)
                    #expect(try rows.first?.get(0, as: [UInt8].self) == Array(json.utf8))
                }
                let error = await #expect(throws: PostgresError.self) { try await echo(pool, "{", "jsonb") }
                #expect(error?.sqlState == "22P02")
            }
        }
    }

    @Test("a text with NUL throws .invalidParameter and is not sent")
    @Loop func nulCharacter() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool { pool in
                for parameter in ["a\u{0}b", "\u{0}"] {
                    let error = await #expect(throws: PostgresError.self) { try await echo(pool, parameter, "text") }
                    #expect(error?.code == .invalidParameter)
                    #expect(error?.message.contains("NUL") == true)
                    #expect(error?.isTransient == false)
                }
                await #expect(throws: PostgresError.self) { try await echo(pool, ["a\u{0}"], "text[]") }
                try await check(pool, "still here", "text")
            }
        }
    }

    @Test("reading a column as the wrong type throws an error with the column's name; a missing column throws")
    @Loop func mismatches() async throws {
        try await DriverDatabase.with { database in
            try await database.withPool { pool in
                let rows = try await pool.query(Statement("SELECT 70000 AS big, 'x' AS word, 1.5::numeric AS price"))
                let row = try #require(rows.first)
                #expect(try row.decode((Int, String).self) == (70000, "x"))
                #expect(throws: PostgresError.self) { try row.get(0, as: Int16.self) }
                #expect(throws: PostgresError.self) { try row.get(0, as: String.self) }
                #expect(throws: PostgresError.self) { try row.get(0, as: UUID.self) }
                #expect(throws: PostgresError.self) { try row.get(1, as: Int.self) }
                #expect(throws: PostgresError.self) { try row.get(2, as: String.self) }
                #expect(throws: PostgresError.self) { try row.get(3, as: String.self) }
                #expect(throws: PostgresError.self) { try row.get(-1, as: String.self) }
                let error = #expect(throws: PostgresError.self) { try row.get(0, as: [String].self) }
                #expect(error?.column == "big")
            }
        }
    }
}
