/// One connection of a worker, as a state machine that decides which bytes are forwarded.
protocol TappedConnection: Sendable {
    init()

    /// Takes the bytes that a peer has sent.
    mutating func receive(_ bytes: [UInt8], from peer: Peer, _ progress: inout KillPointProgress) -> TapResult
}

/// The bytes to forward, and whether the kill point was reached.
struct TapResult: Sendable, Equatable {
    /// Complete messages only, so that the stream is always held between two messages.
    var forwarded: [UInt8] = []
    /// Whether the last of these bytes are at the kill point. It is reached once.
    var isReached = false
}

/// What to do with one message.
enum TapAction {
    case forward
    /// Hold this message and all later messages of its direction.
    case hold
    case forwardAndReach
    case holdAndReach
}
