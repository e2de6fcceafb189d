import CZlib
import Contracts
import Dispatch
import FoundationEssentials
import Glibc
import NIOPosix
import Synchronization
import TestSupport
import Testing
import WorkerKit

@testable import Ingress

@Suite("Compressed responses", .serialized)
struct CompressionTests {
    private let mark = "ingress-\(UUID().uuidString.prefix(8))"
    private static let page = Array(#"{"posts":["\#(String(repeating: "rabbit ", count: 1000))"]}"#.utf8)

    /// Decompresses a body in the gzip format.
    private static func gunzip(_ body: [UInt8]) throws -> [UInt8] {
        var input = body
        var output = [UInt8](repeating: 0, count: 64 << 20)
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        try #require(inflateInit2_(&stream, 31, ZLIB_VERSION, size) == Z_OK)
        defer { inflateEnd(&stream) }
        let count = try input.withUnsafeMutableBufferPointer { input in
            try output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                try #require(inflate(&stream, Z_FINISH) == Z_STREAM_END)
                return Int(stream.total_out)
            }
        }
        return Array(output.prefix(count))
    }

    private func call(
        _ ingress: RunningIngress, _ method: String = "GET", _ target: String, _ fields: [String: String] = [:],
        body: [UInt8]? = nil
    ) throws -> RawClient.Response {
        try ingress.client().call(
            method, target, token: try ingress.maker.token(),
            fields: fields.merging(["X-Request-Id": "\(mark)-1"]) { $1 }, body: body)
    }

    @Test("a response over 1 KiB is compressed if the client accepts gzip, also the head for HEAD")
    func compressed() async throws {
        try await RunningIngress.with { ingress in
            try await StubWorker.with("post.list", mark: mark) { _ in
                .json(Self.page)
            } _: {
                let plain = try call(ingress, "GET", "/v1/posts")
                #expect(plain.body == Self.page)
                #expect(plain.fields["content-encoding"] == nil)
                #expect(plain.fields["vary"] == "Accept-Encoding")
                let gzip = ["Accept-Encoding": "gzip, deflate"]
                let small = try call(ingress, "GET", "/v1/posts", gzip)
                #expect(small.status == 200)
                #expect(small.fields["content-encoding"] == "gzip")
                #expect(small.fields["vary"] == "Accept-Encoding")
                #expect(small.fields["content-type"] == "application/json")
                #expect(small.body.count < Self.page.count / 10)
                #expect(try Self.gunzip(small.body) == Self.page)
                let head = try call(ingress, "HEAD", "/v1/posts", gzip)
                #expect(head.fields["content-length"] == "\(small.body.count)")
                #expect(head.fields["content-encoding"] == "gzip")
                let refused = try call(ingress, "GET", "/v1/posts", ["Accept-Encoding": "gzip;q=0"])
                #expect(refused.body == Self.page)
            }
        }
    }

    @Test("a response of at most 1 KiB is not compressed and has no Vary")
    func small() async throws {
        try await RunningIngress.with { ingress in
            for (count, isCompressed) in [(1024, false), (1025, true)] {
                let body = Array("\"\(String(repeating: "x", count: count - 2))\"".utf8)
                try await StubWorker.with("post.list", mark: mark) { _ in
                    .json(body)
                } _: {
                    let response = try call(ingress, "GET", "/v1/posts", ["Accept-Encoding": "gzip"])
                    #expect((response.fields["content-encoding"] == "gzip") == isCompressed)
                    #expect((response.fields["vary"] != nil) == isCompressed)
                }
            }
        }
    }

    @Test("a response with tokens is never compressed")
    func credentials() async throws {
        try await RunningIngress.with { ingress in
            try await StubWorker.with("identity.login", mark: mark) { _ in
                .json(Self.page)
            } _: {
                let response = try call(
                    ingress, "POST", "/v1/auth/login",
                    ["Accept-Encoding": "gzip", "Content-Type": "application/json"], body: Array("{}".utf8))
                #expect(response.status == 200)
                #expect(response.body == Self.page)
                #expect(response.fields["content-encoding"] == nil)
                #expect(response.fields["vary"] == nil)
            }
        }
    }

    @Test("the compressed form of a post has an entity tag of its own, and both tags get 304")
    func entityTags() async throws {
        try await RunningIngress.with { ingress in
            try await StubWorker.with("post.get", mark: mark) { _ in
                .json(Self.page, etag: "\"a\"")
            } _: {
                for (coding, tag) in [("identity", "\"a\""), ("gzip", "\"a-gzip\"")] {
                    #expect(
                        try call(ingress, "GET", "/v1/posts/1", ["Accept-Encoding": coding]).fields["etag"] == tag)
                    for other in ["identity", "gzip"] {
                        let response = try call(
                            ingress, "GET", "/v1/posts/1", ["Accept-Encoding": other, "If-None-Match": tag])
                        #expect(response.status == 304)
                        #expect(response.fields["etag"] == tag)
                        #expect(response.fields["vary"] == "Accept-Encoding")
                        #expect(response.fields["content-encoding"] == nil)
                    }
                }
            }
        }
    }

    @Test("openapi.json has an ETag that gets 304, and is sent compressed")
    func openAPI() async throws {
        try await RunningIngress.with { ingress in
            let plain = try call(ingress, "GET", "/openapi.json")
            let tag = try #require(plain.fields["etag"])
            let small = try call(ingress, "GET", "/openapi.json", ["Accept-Encoding": "gzip"])
            #expect(try Self.gunzip(small.body) == plain.body)
            #expect(small.body.count < plain.body.count / 5)
            #expect(small.fields["etag"] == "\(tag.dropLast())-gzip\"")
            for known in [tag, small.fields["etag"] ?? "", "*"] {
                let response = try call(ingress, "GET", "/openapi.json", ["If-None-Match": known])
                #expect(response.status == 304)
                #expect(response.body.isEmpty)
            }
        }
    }

    @Test("a page of 5 MB that hardly gets smaller arrives whole")
    func large() async throws {
        let text = (0..<400_000).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }
        let page = Array("[\"\(text.joined().prefix(5_000_000))\"]".utf8)
        try await RunningIngress.with { ingress in
            try await StubWorker.with("post.list", mark: mark) { _ in
                .json(page)
            } _: {
                let response = try call(ingress, "GET", "/v1/posts", ["Accept-Encoding": "gzip"])
                #expect(response.fields["content-encoding"] == "gzip")
                #expect(try Self.gunzip(response.body) == page)
            }
        }
    }

    /// Submits bodies to a compressor whose thread begins when all are submitted.
    ///
    /// - Returns: the sizes of the bodies in the order of their completion; negative if the body was not compressed, or
    ///   was compressed by the thread of the caller.
    private static func completions(_ sizes: [Int]) async throws -> [Int] {
        let order = Mutex<[Int]>([])
        let threads = NIOThreadPool(numberOfThreads: 1)
        threads.start()
        let submitted = DispatchSemaphore(value: 0)
        threads.submit { _ in submitted.wait() }
        let caller = pthread_self()
        let compressor = ResponseCompressor(threads: threads)
        for size in sizes {
            compressor.compress([UInt8](repeating: 7, count: size)) { body in
                let isCompressed = body != nil && pthread_self() != caller
                order.withLock { $0.append(isCompressed ? size : -size) }
            }
        }
        submitted.signal()
        #expect(try await eventually { order.withLock { $0.count } == sizes.count })
        try await threads.shutdownGracefully()
        return order.withLock { $0 }
    }

    @Test("bodies are compressed on another thread, and a small one before a large one that arrived earlier")
    func turns() async throws {
        #expect(try await Self.completions([2 << 20, 1 << 20, 2000]) == [2000, 1 << 20, 2 << 20])
    }

    @Test("at most eight large bodies have streams at a time, so a further one waits until one of them is done")
    func streams() async throws {
        let (large, later) = (4 * 64 << 10, 2 * 64 << 10)
        let order = try await Self.completions([Int](repeating: large, count: 8) + [later])
        #expect(order.first == large)
        #expect(order.filter { $0 == later }.count == 1)
        #expect(try await Self.completions([Int](repeating: large, count: 7) + [later]).first == later)
    }

    @Test("a large body gets its turns while small ones keep arriving")
    func starvation() {
        var queue = CompressionQueue<Int>()
        var added = queue.add(0, bytes: 1000, isSmall: false) ? 1 : 0
        var turns = 0
        for number in 1...100 {
            added += queue.add(number, bytes: 10, isSmall: true) ? 1 : 0
            guard let job = queue.next(), job == 0 else { continue }
            turns += 1
            queue.putBack(job)
        }
        #expect(added == 101)
        #expect(turns == 5)
    }

    @Test("a body that would have to wait with more than 4 MiB is sent as it is, and a single one of any size is not")
    func overload() async throws {
        let size = 3 << 20
        #expect(try await Self.completions([size, size, size / 3, 1100]) == [-size, -1100, size / 3, size])
        #expect(try await Self.completions([8 << 20]) == [8 << 20])
    }
}
