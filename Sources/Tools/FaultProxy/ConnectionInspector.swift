/// The program at one end of a proxied connection.
package enum Peer: Sendable, CaseIterable {
    case client
    case server
}

/// Decides which bytes of one proxied connection a ``FaultProxy`` forwards.
package protocol ConnectionInspector: Sendable {
    /// Called with the bytes that a peer has sent, in their order. The two directions call from two threads.
    func inspect(_ bytes: [UInt8], from peer: Peer) -> Inspection
}

/// The decision of a ``ConnectionInspector``.
package struct Inspection: Sendable {
    /// The bytes that the other peer receives now. They can contain bytes of earlier calls. Bytes that an inspector
    /// never returns are held back.
    package var forwarded: [UInt8]
    /// Called after the bytes were forwarded. Not called if the connection has ended before.
    package var completion: (@Sendable () -> Void)?

    package init(forwarded: [UInt8], completion: (@Sendable () -> Void)? = nil) {
        self.forwarded = forwarded
        self.completion = completion
    }
}
