internal import CArgon2

extension PasswordHash {
    static func hash(
        _ password: [UInt8], salt: [UInt8], hashSize: Int, cost: Argon2Cost
    ) -> Result<String, Argon2Error> {
        var hash = [UInt8](repeating: 0, count: hashSize)
        let version = UInt32(ARGON2_VERSION_NUMBER.rawValue)
        let code = withContext(password, salt, &hash, cost, version) { argon2_ctx(&$0, Argon2_id) }
        guard code == ARGON2_OK.rawValue else { return .failure(failure(code)) }
        return .success(EncodedHash(version: version, cost: cost, salt: salt, hash: hash).text)
    }

    static func check(_ password: [UInt8], _ encoded: EncodedHash) -> Result<Bool, Argon2Error> {
        var computed = [UInt8](repeating: 0, count: encoded.hash.count)
        let code = withContext(password, encoded.salt, &computed, encoded.cost, encoded.version) { context in
            // argon2_verify_ctx compares in constant time.
            encoded.hash.withUnsafeBytes { hash in
                argon2_verify_ctx(&context, hash.baseAddress?.assumingMemoryBound(to: CChar.self), Argon2_id)
            }
        }
        switch code {
        case ARGON2_OK.rawValue: return .success(true)
        case ARGON2_VERIFY_MISMATCH.rawValue: return .success(false)
        case ARGON2_MEMORY_ALLOCATION_ERROR.rawValue: return .failure(failure(code))
        default: return .failure(Argon2Error(.malformedHash, text(code)))
        }
    }

    /// Calls a closure with a context that points to the password, the salt and the hash. The closure calls the
    /// library. The library uses the pointers only during the call (argon2_context in argon2.h).
    private static func withContext(
        _ password: [UInt8], _ salt: [UInt8], _ hash: inout [UInt8], _ cost: Argon2Cost, _ version: UInt32,
        _ body: (inout argon2_context) -> Int32
    ) -> Int32 {
        // The library takes mutable pointers, because it can clear the password. The flag for that is not set here.
        var password = password
        var salt = salt
        return password.withUnsafeMutableBufferPointer { password in
            salt.withUnsafeMutableBufferPointer { salt in
                hash.withUnsafeMutableBufferPointer { hash in
                    var context = argon2_context()
                    context.out = hash.baseAddress
                    context.outlen = UInt32(hash.count)
                    context.pwd = password.baseAddress
                    context.pwdlen = UInt32(clamping: password.count)
                    context.salt = salt.baseAddress
                    context.saltlen = UInt32(salt.count)
                    context.t_cost = cost.passes
                    context.m_cost = cost.memory
                    context.lanes = cost.lanes
                    context.threads = cost.lanes
                    context.version = version
                    context.allocate_cbk = { HashMemory.map($0, $1) }
                    context.free_cbk = { HashMemory.unmap($0, $1) }
                    return body(&context)
                }
            }
        }
    }

    private static func failure(_ code: Int32) -> Argon2Error {
        if code == ARGON2_MEMORY_ALLOCATION_ERROR.rawValue { return Argon2Error(.outOfMemory, text(code)) }
        return Argon2Error(isCostError(code) ? .invalidCost : .library, text(code))
    }

    private static func isCostError(_ code: Int32) -> Bool {
        [
            ARGON2_TIME_TOO_SMALL, ARGON2_TIME_TOO_LARGE, ARGON2_MEMORY_TOO_LITTLE, ARGON2_MEMORY_TOO_MUCH,
            ARGON2_LANES_TOO_FEW, ARGON2_LANES_TOO_MANY, ARGON2_THREADS_TOO_FEW, ARGON2_THREADS_TOO_MANY,
        ].contains { $0.rawValue == code }
    }

    private static func text(_ code: Int32) -> String {
        // argon2_error_message(3) returns a constant string for every code, also for an unknown one.
        argon2_error_message(code).map { String(cString: $0) } ?? "code \(code)"
    }
}
