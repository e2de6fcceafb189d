import AMQP
import Reactor
import TestSupport
import Testing

@Suite("Requests and replies")
struct ReplyTests {
    /// A worker that answers each request with its own body, and a client that waits for the answers.
    @Loop private func withEcho(
        _ scratch: Scratch, clientAddress: BrokerAddress? = nil,
        _ body:
            @Loop (_ ask: @escaping @Loop (String) throws -> Void, _ replies: Inbox, _ client: Consumer) async throws ->
            Void
    ) async throws {
        let requests = try await scratch.queue("requests")
        let exchange = try await scratch.exchange("replies")
        let key = scratch.name("client")
        let replies = Inbox()
        try await withPublisher(scratch.address) { workerOut in
            let worker = Subscription.queue(requests, prefetch: 100) { delivery in
                try? workerOut.publish(
                    OutgoingMessage(
                        exchange: exchange, routingKey: delivery.properties.replyTo ?? "",
                        properties: Properties(correlationID: delivery.properties.correlationID), body: delivery.body))
                delivery.ack()
            }
            try await withConsumer(scratch.address, [worker]) { _ in
                try await withPublisher(scratch.address) { clientOut in
                    let client = Subscription.replies(exchange: exchange, key: key) { replies.deliveries.append($0) }
                    try await withConsumer(clientAddress ?? scratch.address, [client]) { clientIn in
                        try await body(
                            { text in
                                try clientOut.publish(
                                    OutgoingMessage(
                                        exchange: "", routingKey: requests,
                                        properties: Properties(correlationID: text, replyTo: key),
                                        body: [UInt8](text.utf8)))
                            }, replies, clientIn)
                    }
                }
            }
        }
    }

    @Test("an answer comes back by the reply key, with its correlation id")
    @Loop func answers() async throws {
        try await Scratch.run { scratch in
            try await withEcho(scratch) { ask, replies, client in
                for index in 0..<500 { try ask("\(index)") }
                try await becomes { replies.deliveries.count == 500 }
                #expect(replies.bodies == (0..<500).map { "\($0)" })
                #expect(
                    replies.deliveries.allSatisfy {
                        $0.properties.correlationID == String(decoding: $0.body, as: UTF8.self)
                    })
                #expect(replies.deliveries.allSatisfy { $0.queue.hasPrefix("amq.gen") && !$0.ack() })
                #expect(client.inHand == 0)
            }
        }
    }

    @Test("after the client's connection was cut, answers find its new queue by the same key")
    @Loop func findsNewQueue() async throws {
        try await Scratch.run { scratch in
            let proxy = try FaultProxy(to: scratch.address.port)
            defer { proxy.stop() }
            var through = scratch.address
            through.host = "127.0.0.1"
            through.port = proxy.port
            try await withEcho(scratch, clientAddress: through) { ask, replies, client in
                try ask("before")
                try await becomes { replies.bodies == ["before"] }
                proxy.cut()
                try await becomes { client.state == .connecting }
                #expect(await client.waitUntilConsuming(within: .seconds(10)))
                try ask("after")
                try await becomes { replies.bodies == ["before", "after"] }
                #expect(Set(replies.deliveries.map { $0.queue }).count == 2)
            }
        }
    }
}
