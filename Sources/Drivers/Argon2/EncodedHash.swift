/// The parts of `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, as the reference implementation writes it.
struct EncodedHash {
    let version: UInt32
    let cost: Argon2Cost
    /// How many bytes the salt and the hash have; Base64 without padding.
    let saltCount: Int
    let hashCount: Int

    /// - Returns: nil for anything that is not well formed.
    init?(_ encoded: String) {
        guard encoded.utf8.count <= 512 else { return nil }
        let parts = encoded.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id" else { return nil }
        // 1.0 and 1.3 are all the versions there are; the library takes others without a word.
        guard let version = Self.number(parts[2], after: "v="), version == 0x10 || version == 0x13 else { return nil }
        let costs = parts[3].split(separator: ",", omittingEmptySubsequences: false)
        guard costs.count == 3, let memory = Self.number(costs[0], after: "m="),
            let passes = Self.number(costs[1], after: "t="), let lanes = Self.number(costs[2], after: "p=")
        else { return nil }
        guard let saltCount = Self.byteCount(base64: parts[4]), let hashCount = Self.byteCount(base64: parts[5]),
            saltCount >= 8, hashCount >= 4
        else { return nil }
        self.version = version
        cost = Argon2Cost(memory: memory, passes: passes, lanes: lanes)
        self.saltCount = saltCount
        self.hashCount = hashCount
    }

    private static func number(_ text: Substring, after prefix: String) -> UInt32? {
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.dropFirst(prefix.count)
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return UInt32(digits)
    }

    private static func byteCount(base64 text: Substring) -> Int? {
        let isBase64 = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        guard isBase64, text.utf8.count % 4 != 1 else { return nil }
        return text.utf8.count * 3 / 4
    }
}
