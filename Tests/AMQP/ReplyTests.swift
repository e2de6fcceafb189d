import BrokerSupport
import FaultProxy
import Reactor
import TestSupport
import Testing

@testable import AMQP

@Suite("Requests and replies")
struct ReplyTests {
    /// Runs a worker that replies to each request with the request's body, and a client that collects the replies.
    @Loop private func withEcho(
        _ topology: TestTopology, clientAddress: BrokerAddress? = nil,
        _ body:
            @Loop (_ ask: @escaping @Loop (String) throws -> Void, _ replies: Inbox, _ client: Consumer) async throws ->
            Void
    ) async throws {
        let requests = try await topology.queue("requests")
        let exchange = try await topology.exchange("replies")
        let key = topology.name("client")
        let replies = Inbox()
        try await withPublisher(topology.address) { workerPublisher in
            let worker = Subscription.queue(requests, prefetch: 100) { delivery in
                try? workerPublisher.publish(
                    OutgoingMessage(
                        exchange: exchange, routingKey: delivery.properties.replyTo ?? "",
                        properties: Properties(correlationID: delivery.properties.correlationID), body: delivery.body))
                delivery.ack()
            }
            try await withConsumer(topology.address, [worker]) { _ in
                try await withPublisher(topology.address) { clientPublisher in
                    let client = Subscription.replies(exchange: exchange, key: key) { replies.deliveries.append($0) }
                    try await withConsumer(clientAddress ?? topology.address, [client]) { clientConsumer in
                        try await body(
                            { text in
                                try clientPublisher.publish(
                                    OutgoingMessage(
                                        exchange: "", routingKey: requests,
                                        properties: Properties(correlationID: text, replyTo: key),
                                        body: [UInt8](text.utf8)))
                            }, replies, clientConsumer)
                    }
                }
            }
        }
    }

    /// Without a confirmation, the call would return only after its time limit of 5 s.
    @Test("a consumer of replies stops as soon as the broker has confirmed it")
    @Loop func stop() async throws {
        try await TestTopology.run { topology in
            try await withEcho(topology) { _, _, client in
                let began = ContinuousClock.now
                await client.stopConsuming()
                #expect(.now - began < .seconds(4))
            }
        }
    }

    @Test("replies are routed to the client by its key and have the correlation IDs of their requests")
    @Loop func replies() async throws {
        try await TestTopology.run { topology in
            try await withEcho(topology) { ask, replies, client in
                for index in 0..<500 { try ask("\(index)") }
                try await becomes { replies.deliveries.count == 500 }
                #expect(replies.bodies == (0..<500).map { "\($0)" })
                #expect(
                    replies.deliveries.allSatisfy {
                        $0.properties.correlationID == String(decoding: $0.body, as: UTF8.self)
                    })
                #expect(replies.deliveries.allSatisfy { $0.queue.hasPrefix("amq.gen") && !$0.ack() })
                #expect(client.openCount == 0)
            }
        }
    }

    @Test("after the client has reconnected, replies with the same routing key arrive in its new queue")
    @Loop func findsNewQueue() async throws {
        try await TestTopology.run { topology in
            let proxy = try FaultProxy(to: topology.address.port)
            defer { proxy.stop() }
            let proxyAddress = topology.address.at(port: proxy.port)
            try await withEcho(topology, clientAddress: proxyAddress) { ask, replies, client in
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
