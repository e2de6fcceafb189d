internal import CArgon2

extension PasswordHash {
    static func encode(
        _ password: [UInt8], salt: [UInt8], hashCount: Int, cost: Argon2Cost
    ) -> Result<String, Argon2Error> {
        let capacity = argon2_encodedlen(
            cost.passes, cost.memory, cost.lanes, UInt32(salt.count), UInt32(hashCount), Argon2_id)
        var encoded = [CChar](repeating: 0, count: capacity)
        let code = argon2id_hash_encoded(
            cost.passes, cost.memory, cost.lanes, password, password.count, salt, salt.count, hashCount, &encoded,
            encoded.count)
        guard code == ARGON2_OK.rawValue else { return .failure(failure(code)) }
        return .success(String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    static func check(_ password: [UInt8], _ encoded: String) -> Result<Bool, Argon2Error> {
        let code = argon2id_verify(encoded, password, password.count)
        switch code {
        case ARGON2_OK.rawValue: return .success(true)
        case ARGON2_VERIFY_MISMATCH.rawValue: return .success(false)
        case ARGON2_MEMORY_ALLOCATION_ERROR.rawValue: return .failure(failure(code))
        default: return .failure(Argon2Error(.malformedHash, text(code)))
        }
    }

    private static func failure(_ code: Int32) -> Argon2Error {
        if code == ARGON2_MEMORY_ALLOCATION_ERROR.rawValue { return Argon2Error(.outOfMemory, text(code)) }
        return Argon2Error(isCost(code) ? .invalidCost : .library, text(code))
    }

    private static func isCost(_ code: Int32) -> Bool {
        [
            ARGON2_TIME_TOO_SMALL, ARGON2_TIME_TOO_LARGE, ARGON2_MEMORY_TOO_LITTLE, ARGON2_MEMORY_TOO_MUCH,
            ARGON2_LANES_TOO_FEW, ARGON2_LANES_TOO_MANY, ARGON2_THREADS_TOO_FEW, ARGON2_THREADS_TOO_MANY,
        ].contains { $0.rawValue == code }
    }

    private static func text(_ code: Int32) -> String {
        // argon2_error_message(3) returns a constant string for every code, known or not.
        argon2_error_message(code).map { String(cString: $0) } ?? "code \(code)"
    }
}
