import AMQP
import Contracts
import Logging
import TestSupport
import WorkerKit

/// A worker without a database. It passes each request to a closure of the test and sends the reply of the closure.
enum StubWorker {
    /// A request as delivered by the broker.
    struct Received: Sendable {
        let properties: Properties
        let body: [UInt8]

        func header(_ name: String) -> String? { properties.headers[name]?.string }
    }

    /// Replies to messages of a type while a closure runs.
    ///
    /// Only requests whose request id begins with the mark are handled, because the broker also delivers the requests
    /// of other tests.
    ///
    /// - Parameters:
    ///   - type: the message type.
    ///   - mark: the beginning of the request ids.
    ///   - makeReply: returns the reply to a request; `nil` for no reply.
    ///   - body: the closure.
    static func with(
        _ type: String, mark: String, makeReply: @escaping @Sendable (Received) -> Reply?,
        _ body: @Sendable () async throws -> Void
    ) async throws {
        let address = try BrokerAddress(url: TestEnvironment.value("WARREN_TEST_AMQP_URL"))
        let publisher = await Publisher(address: address, name: "stub-worker", log: .quiet)
        let consumer = await Consumer(
            address: address, name: "stub-worker",
            subscriptions: [
                .replies(exchange: Exchange.commands, key: type) { delivery in
                    let received = Received(properties: delivery.properties, body: delivery.body)
                    guard received.header(Header.requestId)?.hasPrefix(mark) == true, let reply = makeReply(received),
                        let key = delivery.properties.replyTo
                    else { return }
                    var properties = Properties()
                    properties.correlationID = delivery.properties.correlationID
                    properties.contentType = reply.contentType
                    properties.type = (delivery.properties.type ?? "") + ".reply"
                    properties.userID = address.user
                    properties.headers[Header.status] = .int64(Int64(reply.status))
                    if let location = reply.location { properties.headers[Header.location] = .string(location) }
                    if let etag = reply.etag { properties.headers[Header.etag] = .string(etag) }
                    if let seconds = reply.retryAfter { properties.headers[Header.retryAfter] = .int64(Int64(seconds)) }
                    try? publisher.publish(
                        OutgoingMessage(
                            exchange: Exchange.replies, routingKey: key, properties: properties, body: reply.body))
                }
            ], log: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await publisher.run() }
            tasks.addTask { await consumer.run() }
            let isUp = await publisher.waitUntilAvailable(within: .seconds(10))
            guard isUp, await consumer.waitUntilConsuming(within: .seconds(10)) else { throw RunningIngress.NotUp() }
            let result: Result<Void, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            await consumer.close()
            await publisher.close()
            try await tasks.waitForAll()
            try result.get()
        }
    }
}
