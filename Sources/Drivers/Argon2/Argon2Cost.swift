/// The cost of computing a hash (RFC 9106, section 3.1).
package struct Argon2Cost: Hashable, Sendable {
    /// The memory in KiB.
    package let memory: UInt32
    /// The number of passes over the memory.
    package let passes: UInt32
    /// The number of lanes, which can be computed in parallel.
    package let lanes: UInt32

    /// Makes a cost. argon2 requires at least 8 KiB of memory per lane, one pass and one lane.
    package init(memory: UInt32, passes: UInt32, lanes: UInt32) {
        self.memory = memory
        self.passes = passes
        self.lanes = lanes
    }

    /// 19 MiB, two passes, one lane: the first recommendation of OWASP's Password Storage Cheat Sheet.
    package static let standard = Argon2Cost(memory: 19456, passes: 2, lanes: 1)

    /// The highest cost that a stored hash may have. The limits prevent a stored hash from making the process run out
    /// of memory or compute for too long. Each of the three values is limited separately.
    static let maximum = Argon2Cost(memory: 1 << 20, passes: 64, lanes: 16)

    var isWithinMaximum: Bool {
        memory <= Self.maximum.memory && passes <= Self.maximum.passes && lanes <= Self.maximum.lanes
    }
}
