internal import CHiredis

/// hiredis's protocol reader, set to build Swift values as it reads instead of C objects that would be copied after.
///
/// Belongs to one connection and, as hiredis's reader, to one thread.
final class RedisParser {
    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let builder = RedisReplyBuilder()

    /// - Returns: nil where there is no memory.
    init?() {
        functions = .allocate(capacity: 1)
        functions.initialize(to: Self.callbacks)
        guard let reader = redisReaderCreateWithFunctions(functions) else {
            functions.deallocate()
            return nil
        }
        self.reader = reader
        // hiredis hands this pointer to each callback, and calls them only inside redisReaderGetReply.
        reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
    }

    deinit {
        redisReaderFree(reader)
        functions.deallocate()
    }

    /// Takes over a copy of the first bytes of a buffer, which were received.
    func feed(_ bytes: [UInt8], count: Int) throws(RedisError) {
        let code = bytes.withUnsafeBytes { bytes in
            redisReaderFeed(reader, bytes.bindMemory(to: CChar.self).baseAddress, min(count, bytes.count))
        }
        guard code == REDIS_OK else { throw failure() }
    }

    /// The next whole reply, or nil until more has been fed.
    func next() throws(RedisError) -> RedisValue? {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw failure() }
        return object == nil ? nil : builder.take()
    }

    private func failure() -> RedisError {
        let text = withUnsafeBytes(of: reader.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return RedisError(.protocol, text)
    }

    /// hiredis only asks whether the objects are NULL: one that is not stands for all.
    private static var placeholder: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }

    private static func builder(_ task: UnsafePointer<redisReadTask>?) -> RedisReplyBuilder? {
        guard let context = task?.pointee.privdata else { return nil }
        return Unmanaged<RedisReplyBuilder>.fromOpaque(context).takeUnretainedValue()
    }

    private static var callbacks: redisReplyObjectFunctions {
        redisReplyObjectFunctions(
            createString: { task, bytes, count in
                guard let builder = RedisParser.builder(task), let task else { return nil }
                let content = UnsafeRawBufferPointer(start: bytes, count: count)
                switch task.pointee.type {
                case REDIS_REPLY_STATUS: builder.add(.status(String(decoding: content, as: UTF8.self)))
                case REDIS_REPLY_ERROR: builder.add(.error(String(decoding: content, as: UTF8.self)))
                default: builder.add(.bytes(Array(content)))
                }
                return RedisParser.placeholder
            },
            createArray: { task, count in
                guard let builder = RedisParser.builder(task) else { return nil }
                builder.beginArray(count: Int(count))
                return RedisParser.placeholder
            },
            createInteger: { task, number in
                guard let builder = RedisParser.builder(task) else { return nil }
                builder.add(.integer(Int(number)))
                return RedisParser.placeholder
            },
            createNil: { task in
                guard let builder = RedisParser.builder(task) else { return nil }
                builder.add(.null)
                return RedisParser.placeholder
            },
            freeObject: { _ in })
    }
}
