/// Makes the bytes of messages of PostgreSQL's protocol 3.
enum PostgresBytes {
    static let encryptionRequest = number(8) + number(80_877_103)
    static let startup = number(23) + number(3 << 16) + Array("user\0warren\0\0\0\0".utf8)

    static func message(_ type: Character, _ body: [UInt8] = []) -> [UInt8] {
        Array(String(type).utf8) + number(UInt32(body.count + 4)) + body
    }

    // MARK: From the client

    static func query(_ sql: String) -> [UInt8] { message("Q", text(sql)) }
    static func parse(_ name: String, _ sql: String) -> [UInt8] { message("P", text(name) + text(sql) + [0, 0]) }
    static func bind(_ name: String) -> [UInt8] { message("B", text("") + text(name) + [0, 0, 0, 0, 0, 0]) }
    static let describe = message("D", Array("P\0".utf8))
    static let execute = message("E", text("") + number(0))
    static let sync = message("S")

    /// The messages that run a prepared statement.
    static func run(_ name: String) -> [UInt8] { bind(name) + describe + execute }

    // MARK: From the server

    static func completed(_ tag: String) -> [UInt8] { message("C", text(tag)) }
    static let parsed = message("1")
    static let bound = message("2")
    static let noData = message("n")
    static let ready = message("Z", [UInt8(ascii: "I")])
    static let failed = message("E", Array("SERROR\0C23505\0Mduplicate key\0\0".utf8))

    /// The answers to ``run(_:)``.
    static func ran(_ tag: String) -> [UInt8] { bound + noData + completed(tag) }

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

    private static func number(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
}
