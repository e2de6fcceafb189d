/// Splits one direction of a connection of PostgreSQL's protocol 3 into messages, and recognizes those that run
/// statements.
///
/// The messages contain all bytes of the stream in their order. Bytes that are not of this protocol, for example of a
/// TLS connection, are returned as they arrive, with the content ``Content/other``.
struct PostgresMessages {
    struct Message {
        let bytes: [UInt8]
        let content: Content
    }

    enum Content: Equatable {
        // From the client.
        /// SSLRequest or GSSENCRequest. The server answers with one byte.
        case encryptionRequest
        case query(String)
        case parse(statement: String, sql: String)
        case bind(portal: String, statement: String)
        case execute(portal: String)
        case sync
        // From the server.
        /// The answer to ``encryptionRequest``.
        case encryptionAnswer(isAccepted: Bool)
        /// CommandComplete with its tag, such as `INSERT 0 1`; `nil` for EmptyQueryResponse and PortalSuspended.
        case completed(tag: String?)
        /// ErrorResponse
        case failed
        case readyForQuery
        // From either.
        case other
    }

    /// The largest length that PostgreSQL accepts in its packets without and with a type byte.
    private static let (maximumStartup, maximumLength) = (10_000, 0x3FFF_FFFF)
    private static let protocolVersion: UInt32 = 3
    private static let encryptionCodes: [UInt32] = [80_877_103, 80_877_104]

    private let peer: Peer
    private var buffer = ByteQueue()
    /// Whether the next packet of the client has no type byte.
    private var isStarting: Bool
    private var expectsEncryptionAnswer = false
    /// Whether the stream is of another protocol, or encrypted.
    private var isOpaque = false

    init(from peer: Peer) {
        self.peer = peer
        isStarting = peer == .client
    }

    mutating func append(_ bytes: [UInt8]) {
        buffer.append(bytes)
    }

    /// The server's next byte is the answer to an ``Content/encryptionRequest``.
    mutating func expectEncryptionAnswer() {
        expectsEncryptionAnswer = true
    }

    /// The rest of the stream is encrypted.
    mutating func becomeOpaque() {
        isOpaque = true
    }

    /// Returns the next message; `nil` if it has not arrived completely.
    mutating func next() -> Message? {
        let message: Message? =
            if isOpaque { nil } else if expectsEncryptionAnswer { nextEncryptionAnswer() } else if isStarting {
                nextStartup()
            } else { nextTyped() }
        if let message { return message }
        guard isOpaque else { return nil }
        return buffer.takeAll().map { Message(bytes: $0, content: .other) }
    }

    private mutating func nextEncryptionAnswer() -> Message? {
        guard let answer = buffer.peek(1)?.first else { return nil }
        expectsEncryptionAnswer = false
        // A server that does not know the request answers with ErrorResponse.
        guard answer != UInt8(ascii: "E") else { return nextTyped() }
        isOpaque = answer != UInt8(ascii: "N")
        return buffer.take(1).map { Message(bytes: $0, content: .encryptionAnswer(isAccepted: isOpaque)) }
    }

    private mutating func nextStartup() -> Message? {
        guard let head = buffer.peek(8) else { return nil }
        var reader = ByteReader(head)
        let length = Int(reader.number(UInt32.self) ?? 0)
        let code = reader.number(UInt32.self) ?? 0
        let isEncryption = Self.encryptionCodes.contains(code)
        guard (8...Self.maximumStartup).contains(length), isEncryption || code >> 16 == Self.protocolVersion else {
            isOpaque = true
            return nil
        }
        guard let bytes = buffer.take(length) else { return nil }
        isStarting = isEncryption
        return Message(bytes: bytes, content: isEncryption ? .encryptionRequest : .other)
    }

    private mutating func nextTyped() -> Message? {
        guard let byte = buffer.peek(1)?.first else { return nil }
        let type = Character(Unicode.Scalar(byte))
        isOpaque = !type.isASCII || !(type.isLetter || type.isNumber)
        guard !isOpaque, let head = buffer.peek(5) else { return nil }
        var reader = ByteReader(head.dropFirst())
        let length = Int(reader.number(UInt32.self) ?? 0)
        isOpaque = !(4...Self.maximumLength).contains(length)
        guard !isOpaque, let bytes = buffer.take(length + 1) else { return nil }
        var body = ByteReader(bytes.dropFirst(5))
        let content = peer == .client ? Content(client: type, &body) : Content(server: type, &body)
        return Message(bytes: bytes, content: content)
    }
}

extension PostgresMessages.Content {
    /// Reads a message of the client.
    fileprivate init(client type: Character, _ body: inout ByteReader) {
        self = .other
        switch type {
        case "Q":
            if let sql = body.zeroTerminated() { self = .query(sql) }
        case "P":
            if let name = body.zeroTerminated(), let sql = body.zeroTerminated() {
                self = .parse(statement: name, sql: sql)
            }
        case "B":
            if let portal = body.zeroTerminated(), let name = body.zeroTerminated() {
                self = .bind(portal: portal, statement: name)
            }
        case "E":
            if let portal = body.zeroTerminated() { self = .execute(portal: portal) }
        case "S": self = .sync
        default: break
        }
    }

    /// Reads a message of the server.
    fileprivate init(server type: Character, _ body: inout ByteReader) {
        switch type {
        case "C": self = body.zeroTerminated().map { .completed(tag: $0) } ?? .other
        case "I", "s": self = .completed(tag: nil)
        case "E": self = .failed
        case "Z": self = .readyForQuery
        default: self = .other
        }
    }
}
