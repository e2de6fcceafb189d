internal import ASCII
internal import FoundationEssentials

/// The parts of a hash in PHC form, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, as the reference implementation
/// writes it.
struct EncodedHash {
    let version: UInt32
    let cost: Argon2Cost
    let salt: [UInt8]
    let hash: [UInt8]

    init(version: UInt32, cost: Argon2Cost, salt: [UInt8], hash: [UInt8]) {
        self.version = version
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// The hash in PHC form; salt and hash are in Base64 without padding.
    var text: String {
        let cost = "m=\(cost.memory),t=\(cost.passes),p=\(cost.lanes)"
        return "$argon2id$v=\(version)$\(cost)$\(Self.base64(salt))$\(Self.base64(hash))"
    }

    /// Parses a hash in PHC form; returns `nil` if it is malformed.
    init?(_ encoded: String) {
        guard encoded.utf8.count <= 512 else { return nil }
        let parts = encoded.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id" else { return nil }
        // argon2 has only the versions 1.0 (0x10) and 1.3 (0x13). The library does not check the number.
        guard let version = Self.number(parts[2], after: "v="), version == 0x10 || version == 0x13 else { return nil }
        let costs = parts[3].split(separator: ",", omittingEmptySubsequences: false)
        guard costs.count == 3, let memory = Self.number(costs[0], after: "m="),
            let passes = Self.number(costs[1], after: "t="), let lanes = Self.number(costs[2], after: "p=")
        else { return nil }
        guard let salt = Self.bytes(base64: parts[4]), let hash = Self.bytes(base64: parts[5]), salt.count >= 8,
            hash.count >= 4
        else { return nil }
        self.version = version
        cost = Argon2Cost(memory: memory, passes: passes, lanes: lanes)
        self.salt = salt
        self.hash = hash
    }

    private static func number(_ text: Substring, after prefix: String) -> UInt32? {
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.dropFirst(prefix.count)
        guard digits.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
        return UInt32(digits)
    }

    private static func bytes(base64 text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: text + padding) else { return nil }
        let bytes = Array(data)
        // Accepts only the canonical encoding: without padding, and with zeros in the unused bits of the last
        // character.
        return base64(bytes) == text ? bytes : nil
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }
}
