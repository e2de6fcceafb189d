import ChaosKit
import Contracts
import LocalStack
import Reactor

/// Faults of single messages.
enum MessageFaults {
    static let all = [duplicated, reversed, poison]

    private static let duplicated = Fault(
        name: "messages-duplicated", summary: "every command and every event is delivered twice",
        targets: [.broker, .workers]
    ) { world, run in
        let bindings = [(Exchange.events, "#")] + Self.commands.map { (Exchange.commands, $0) }
        try await MessageCopier.run(world, bindings: bindings) { copier in
            run.begin()
            try await world.sleep(seconds: 8...12)
            run.require(copier.count > 100, "only \(copier.count) messages were duplicated")
            run.end()
        }
    }

    private static let commands = ["post.create", "post.delete", "media.upload", "media.delete"]

    /// The search workers are stopped until their queue has some events, which are then published in reverse order.
    private static let reversed = Fault(
        name: "events-reversed", summary: "the search service gets the events of some seconds in reverse order",
        targets: [.broker, .workers], needs: [.postgres], affected: [.search]
    ) { world, run in
        try await run.perform(
            cause: { try await world.scale("search", 0) }, undo: { try await world.scale("search", World.workers) },
            {
                try await Loop.sleep(for: .seconds(6))
                let count = try await MessageCopier.reverse(world, queue: Queue.searchEvents)
                run.require(count > 10, "only \(count) events waited for the search service")
            })
    }

    /// The broker vouches for an integrator, but the messages are wrong.
    private static let poison = Fault(
        name: "messages-poisoned", summary: "an integrator publishes commands that no worker can carry out",
        targets: [.broker]
    ) { world, run in
        run.begin()
        try await Integrator.run(world) { integrator in
            for _ in 0..<20 {
                // The type differs from the routing key, so the message is also a dead letter.
                try await integrator.publish("post.create", type: "post.delete", body: "{}")
                try await integrator.publish("post.create", type: "post.create", body: "{\"content\": 1")
                try await integrator.publish("media.upload", type: "media.upload", body: "not a picture")
            }
        }
        run.deadLetters["\(Queue.postCommands).dead"] = 20
        run.end()
    }
}
