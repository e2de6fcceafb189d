internal import CHiredis

/// Parses replies with the protocol reader of hiredis. The reader's callbacks build Swift values directly.
///
/// A parser belongs to one connection and must be used by one thread only.
final class RedisParser {
    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let builder = RedisReplyBuilder()

    /// Makes a parser, or returns `nil` if there is no memory.
    init?() {
        functions = .allocate(capacity: 1)
        functions.initialize(to: Self.callbacks)
        guard let reader = redisReaderCreateWithFunctions(functions) else {
            functions.deallocate()
            return nil
        }
        self.reader = reader
        // hiredis passes this pointer to each callback, and calls the callbacks only inside redisReaderGetReply.
        reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
    }

    deinit {
        redisReaderFree(reader)
        functions.deallocate()
    }

    /// Adds a copy of the first `count` bytes of a buffer to the input.
    func feed(_ bytes: [UInt8], count: Int) throws(RedisError) {
        let code = bytes.withUnsafeBytes { bytes in
            redisReaderFeed(reader, bytes.bindMemory(to: CChar.self).baseAddress, min(count, bytes.count))
        }
        guard code == REDIS_OK else { throw failure() }
    }

    /// Returns the next complete reply, or `nil` if the input has none.
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

    /// The result of all callbacks. hiredis only checks that it is not NULL.
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
