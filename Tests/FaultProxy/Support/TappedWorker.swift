@testable import FaultProxy

/// The connections of a worker, as state machines without sockets.
struct TappedWorker {
    enum Line {
        /// The broker connection that consumes.
        case consumer
        /// The broker connection that publishes.
        case publisher
        case database
    }

    /// The bytes that one peer sends on one connection.
    struct Step {
        let name: String
        let line: Line
        let peer: Peer
        let bytes: [UInt8]

        init(_ name: String, _ line: Line, _ peer: Peer, _ bytes: [UInt8]) {
            (self.name, self.line, self.peer, self.bytes) = (name, line, peer, bytes)
        }
    }

    /// What happened in some steps.
    struct Outcome: Equatable {
        /// The forwarded bytes of each step.
        var forwarded: [String: [UInt8]] = [:]
        /// The steps in which the kill point was reached.
        var reached: [String] = []
    }

    private var connections: [Line: any TappedConnection] = [
        .consumer: BrokerConnection(), .publisher: BrokerConnection(), .database: DatabaseConnection(),
    ]
    private var progress: KillPointProgress

    /// Makes a worker that is connected.
    init(_ point: KillPoint, of messageType: String? = "post.create") {
        progress = KillPointProgress(point: point, messageType: messageType)
        for line in [Line.consumer, .publisher] {
            _ = send(AMQPBytes.protocolHeader, on: line, from: .client)
        }
        let select = AMQPBytes.method(MethodID.confirmSelect, channel: 2)
        _ = send(select, on: .publisher, from: .client)
        _ = send(PostgresBytes.startup, on: .database, from: .client)
    }

    private mutating func send(_ bytes: [UInt8], on line: Line, from peer: Peer) -> TapResult {
        connections[line]?.receive(bytes, from: peer, &progress) ?? TapResult()
    }

    /// Performs steps with a fresh copy of this worker.
    ///
    /// - Parameter cut: the number of a step and the position at which its bytes are split into two reads; `nil` for
    ///   one read per step.
    func perform(_ steps: [Step], cut: (step: Int, position: Int)? = nil) -> Outcome {
        var worker = self
        var outcome = Outcome()
        for (number, step) in steps.enumerated() {
            var parts = [step.bytes]
            if let cut, cut.step == number {
                parts = [Array(step.bytes[..<cut.position]), Array(step.bytes[cut.position...])]
            }
            for part in parts {
                let result = worker.send(part, on: step.line, from: step.peer)
                outcome.forwarded[step.name, default: []] += result.forwarded
                if result.isReached { outcome.reached.append(step.name) }
            }
        }
        return outcome
    }
}
