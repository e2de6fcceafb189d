internal import NIOCore

/// The order in which bodies are compressed. It holds jobs of any type and does no work itself.
///
/// A job is small or large. A small one is done in one turn. A large one takes several turns, and needs a stream from
/// its first turn to its last, so only a few large jobs have turns at a time; the others wait.
struct CompressionQueue<Job> {
    /// The maximum number of bytes that wait to be compressed.
    static var maximumBytes: Int { 4 << 20 }
    /// The maximum number of large jobs that have streams.
    static var maximumStreams: Int { 8 }
    /// The number of small jobs after which a large one has a turn.
    private static var smallTurns: Int { 16 }

    private var small = CircularBuffer<Job>()
    /// The large jobs that have had a turn.
    private var begun = CircularBuffer<Job>()
    private var large = CircularBuffer<Job>()
    private var bytes = 0
    /// The number of small jobs since the last turn of a large one.
    private var turns = 0

    /// Adds a job.
    ///
    /// - Returns: `false` if too many bytes wait, and the job was not added. A queue without bytes accepts every job.
    mutating func add(_ job: Job, bytes count: Int, isSmall: Bool) -> Bool {
        guard bytes == 0 || bytes + count <= Self.maximumBytes else { return false }
        bytes += count
        if isSmall { small.append(job) } else { large.append(job) }
        return true
    }

    /// Removes the job that has the next turn; `nil` if there is none.
    mutating func next() -> Job? {
        if turns < Self.smallTurns || (begun.isEmpty && large.isEmpty), let job = small.popFirst() {
            turns += 1
            return job
        }
        turns = 0
        if begun.count < Self.maximumStreams, let job = large.popFirst() { return job }
        return begun.popFirst()
    }

    /// Puts a large job that needs another turn back into the queue.
    mutating func putBack(_ job: Job) {
        begun.append(job)
    }

    /// Subtracts bytes that have been compressed.
    mutating func remove(bytes count: Int) {
        bytes -= count
    }
}
