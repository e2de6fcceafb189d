internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import Zlib

/// Compresses the bodies of responses on another thread, so that the requests of other clients do not wait.
///
/// The bodies are compressed in turns, 64 KiB of each, so that a small body does not wait for a large one
/// (``CompressionQueue``).
final class ResponseCompressor: Sendable {
    /// Bodies up to this size, in bytes, are not compressed. They fit into one packet anyway.
    static let smallBody = 1024
    /// The level of zlib. Higher levels make pages of posts 5 % smaller, but take twice as long (Sources/DECISIONS.md).
    private static let level = 3
    private static let partSize = 64 * 1024

    /// A body that is being compressed.
    // Unchecked: only the thread that has taken a job from the queue uses it.
    private final class Job: @unchecked Sendable {
        let body: [UInt8]
        let completed: @Sendable ([UInt8]?) -> Void
        var position = 0
        var stream: GzipStream?
        var output: [UInt8] = []

        init(_ body: [UInt8], _ completed: @escaping @Sendable ([UInt8]?) -> Void) {
            self.body = body
            self.completed = completed
        }

        /// Whether the body is compressed in one turn.
        var isSmall: Bool { body.count <= ResponseCompressor.partSize }
        var isDone: Bool { position == body.count }

        /// Compresses the next part, or gives up if there is no stream.
        ///
        /// - Returns: the number of bytes that no longer wait.
        func compressPart() -> Int {
            let start = position
            guard let stream else {
                position = body.count
                return position - start
            }
            position = min(body.count, start + ResponseCompressor.partSize)
            stream.compress(body[start..<position], isLast: isDone, to: &output)
            return position - start
        }
    }

    private struct State {
        var queue = CompressionQueue<Job>()
        var isRunning = false
    }

    private let state = Mutex(State())
    private let threads: NIOThreadPool

    /// - Parameter threads: runs the compression. At most one of its threads is used at a time.
    init(threads: NIOThreadPool = .singleton) {
        self.threads = threads
    }

    /// Compresses a body.
    ///
    /// - Parameter completed: called once, on any thread, with the compressed body; with `nil` if too many bodies wait,
    ///   or if there is not enough memory.
    func compress(_ body: [UInt8], completed: @escaping @Sendable ([UInt8]?) -> Void) {
        let job = Job(body, completed)
        enum Action { case refuse, start, wait }
        let action = state.withLock { state -> Action in
            guard state.queue.add(job, bytes: body.count, isSmall: job.isSmall) else { return .refuse }
            defer { state.isRunning = true }
            return state.isRunning ? .wait : .start
        }
        switch action {
        case .refuse: completed(nil)
        case .start: threads.submit { _ in self.run() }
        case .wait: break
        }
    }

    /// Compresses parts of the bodies in turns, until no body is left.
    private func run() {
        // A stream is used again, because its memory takes longer to prepare than a small body to compress.
        var spare: GzipStream?
        while let job = next() {
            if job.stream == nil {
                job.stream = spare ?? GzipStream(level: Self.level)
                spare = nil
            }
            let count = job.compressPart()
            state.withLock { state in
                state.queue.remove(bytes: count)
                if !job.isDone { state.queue.putBack(job) }
            }
            guard job.isDone else { continue }
            job.completed(job.stream == nil ? nil : job.output)
            spare = job.stream
            job.stream = nil
        }
    }

    private func next() -> Job? {
        state.withLock { state in
            let job = state.queue.next()
            state.isRunning = job != nil
            return job
        }
    }
}
