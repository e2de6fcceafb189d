import ChaosKit
import Contracts
import LocalStack
import Reactor

/// Faults of single messages.
enum MessageFaults {
    static let all = [duplicated, reversed, reversedPictures, failing, poison]

    private static let duplicated = Fault(
        name: "messages-duplicated", summary: "every command and every event is delivered twice",
        targets: [.broker, .workers], needs: [.ingress, .postgres, .mediaHost]
    ) { testbed, run in
        let bindings = [(Exchange.events, "#")] + Self.commands.map { (Exchange.commands, $0) }
        try await MessageCopier.run(testbed, bindings: bindings) { copier in
            run.begin()
            try await testbed.sleep(seconds: 8...12)
            for name in Self.commands + Self.events {
                run.require(copier.counts[name, default: 0] > 0, "no message of the type \(name) was duplicated")
            }
            run.end()
        }
    }

    private static let commands = ["post.create", "post.delete", "media.upload", "media.update", "media.delete"]
    /// The events that are frequent enough to occur within seconds.
    private static let events = ["post.created", "post.deleted", "media.uploaded", "media.updated", "media.deleted"]

    private static let reversed = reversal("events-reversed", .search, Queue.searchEvents)

    /// The post service has a copy of the pictures that posts can show.
    private static let reversedPictures = reversal("media-events-reversed", .post, Queue.postEvents)

    /// The workers of a service are stopped until its queue has some events, which are then published in reverse order.
    private static func reversal(_ name: String, _ service: ServiceName, _ queue: String) -> Fault {
        let worker = service.rawValue
        return Fault(
            name: name, summary: "the \(worker) service gets the events of some seconds in reverse order",
            targets: [.broker, .workers], needs: [.postgres, .mediaHost], allowance: Allowance(affected: [service])
        ) { testbed, run in
            try await run.perform(
                cause: { try await testbed.scale(worker, 0) },
                undo: { try await testbed.scale(worker, Testbed.workers) },
                {
                    try await Loop.sleep(for: .seconds(6))
                    let count = try await MessageCopier.reverse(testbed, queue: queue)
                    run.require(count > 10, "only \(count) events waited for the \(worker) service")
                })
        }
    }

    /// Each post climbs the retry ladder, and then the broker does not take the copies that wait there.
    private static let failing = Fault(
        name: "commands-failing",
        summary: "PostgreSQL refuses each new post, and then RabbitMQ accepts no publishes either",
        targets: [.postgres, .broker],
        allowance: Allowance(affected: .all, evidence: .slowness(.seconds(1), of: "POST /v1/posts"))
    ) { testbed, run in
        try await run.perform(
            cause: {
                try await testbed.psql(
                    "ALTER TABLE posts ADD CONSTRAINT chaos CHECK (false) NOT VALID", database: "post")
            },
            undo: {
                try await testbed.psql("ALTER TABLE posts DROP CONSTRAINT IF EXISTS chaos", database: "post")
            },
            {
                try await testbed.sleep(seconds: 1...2)
                let usual = ["set_vm_memory_high_watermark", "0.4"]
                try await undoing({ _ = try await testbed.stack.rabbitmqctl(usual) }) {
                    _ = try await testbed.stack.rabbitmqctl(["set_vm_memory_high_watermark", "absolute", "1MB"])
                    try await testbed.sleep(seconds: 3...5)
                }
            })
    }

    /// The broker accepts the sender, who may act for accounts, but no worker can carry out the commands.
    private static let poison = Fault(
        name: "messages-poisoned", summary: "an integrator publishes commands that no worker can carry out",
        targets: [.broker], needs: [.workers, .postgres], allowance: Allowance(maximumLatency: .seconds(1))
    ) { testbed, run in
        let commands = [
            // The type differs from the routing key, so the message is also a dead letter.
            Integrator.Command("post.create", type: "post.delete", body: "{}", status: 400),
            Integrator.Command("post.create", body: "{\"content\": 1", status: 400),
            Integrator.Command("post.create", body: "{\"content\": 1}", status: 422),
            Integrator.Command("post.create", body: "{\"content\": \"poison\"}", hasID: false, status: 400),
            Integrator.Command("post.create", body: "{\"content\": \"poison\"}", hasSubject: false, status: 401),
            Integrator.Command("post.delete", body: "{\"id\": \"not an id\"}", status: 422),
            Integrator.Command("media.upload", body: "not a picture", status: 415),
        ]
        run.begin()
        try await Integrator.run(testbed) { integrator in
            for _ in 0..<poisonRounds { for command in commands { try await integrator.publish(command) } }
            try await integrator.awaitReplies(within: .seconds(10))
            for finding in integrator.findings { run.require(false, finding) }
        }
        run.deadLetters["\(Queue.postCommands).dead"] = poisonRounds
        run.end()
    }

    private static let poisonRounds = 20
}
