/// What a hash costs to compute (RFC 9106, section 3.1).
package struct Argon2Cost: Hashable, Sendable {
    /// Memory, in KiB.
    package let memory: UInt32
    /// Passes over the memory.
    package let passes: UInt32
    /// Lanes that could be computed side by side.
    package let lanes: UInt32

    /// Makes a cost; argon2 wants at least 8 KiB for each lane, one pass and one lane.
    package init(memory: UInt32, passes: UInt32, lanes: UInt32) {
        self.memory = memory
        self.passes = passes
        self.lanes = lanes
    }

    /// 19 MiB, two passes, one lane: the first recommendation of OWASP's Password Storage Cheat Sheet.
    package static let standard = Argon2Cost(memory: 19456, passes: 2, lanes: 1)

    /// The most that a stored hash may ask for: one that asks for more would take the process's memory or its time.
    static let ceiling = Argon2Cost(memory: 1 << 20, passes: 64, lanes: 16)

    var isWithinCeiling: Bool {
        memory <= Self.ceiling.memory && passes <= Self.ceiling.passes && lanes <= Self.ceiling.lanes
    }
}
