import AMQP
import BrokerSupport
import Contracts
import Foundation
import LocalStack
import Logging
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("A service in hostile hands") struct HostileServices {
        @Test("a service cannot post in an account's name by the CC header of a message to its own retry queue")
        @Loop func carbonCopy() async throws {
            let stack = try Stack()
            let client = try APIClient()
            let victim = try await TestAccount.register(client)
            let content = "forged \(randomWord(10))"
            let dead = Queue.dead(of: Queue.postCommands)
            let depth = try await stack.depth(of: dead)
            let body: JSON = ["content": .string(content)]
            try await withPublisher(of: "media", stack) { publisher, user in
                try await publisher.publishConfirmed(
                    OutgoingMessage(
                        exchange: Exchange.retry, routingKey: "1s.media.commands", isMandatory: true,
                        properties: Properties(
                            contentType: ContentType.json,
                            headers: [
                                "CC": .array([.string("1s.\(Queue.postCommands)")]), Header.origin: "ingress",
                                Header.subject: .string(victim.id), Header.subjectName: .string(victim.username),
                            ], isPersistent: true, messageID: UUID().uuidString, type: "post.create", userID: user),
                        body: body.serialized()))
            }
            // The post service has refused the message when it is a dead letter.
            #expect(try await eventually(within: .seconds(20)) { try await stack.depth(of: dead) > depth })
            try await purge(dead, Queue.dead(of: Queue.mediaCommands))
            let page = try await client.signedIn(as: victim).get("/v1/posts?limit=100").expect(200)
            #expect(!String(decoding: page.serialized(), as: UTF8.self).contains(content))
        }

        @Test("a service cannot answer a request to another service, and a service cannot send a client any header")
        @Loop func foreignReply() async throws {
            let stack = try Stack()
            let client = try await APIClient.registered()
            try await stack.scale("search", 0)
            let result = await outcome {
                #expect(try await search(client, stack, replyingAs: "media", .json).status == 504)
                let page = try await search(client, stack, replyingAs: "search", .html)
                #expect(page.status == 500)
                #expect(page.header("Location") == nil)
                #expect(page.header("Content-Type") == ContentType.problem)
                #expect(try await search(client, stack, replyingAs: "search", .json).status == 200)
            }
            try await stack.scale("search", 1)
            try result.get()
        }

        /// The reply to a search.
        private enum Page { case json, html }

        /// Searches over HTTP, and replies to the request as a broker user.
        @Loop private func search(
            _ client: APIClient, _ stack: Stack, replyingAs replier: String, _ page: Page
        ) async throws -> APIResponse {
            var response: APIResponse?
            try await withPublisher(of: replier, stack) { publisher, user in
                let address = try BrokerAddress(url: stack.secret("search-amqp.url"))
                let consumer = Consumer(
                    address: address, name: "journeys",
                    subscriptions: [
                        .queue(Queue.searchQueries, prefetch: 1) { delivery in
                            delivery.ack()
                            try? publisher.publish(Self.reply(to: delivery.properties, from: user, page)) { _ in }
                        }
                    ], log: .quiet)
                async let consuming: Void = consumer.run()
                let isConsuming = await consumer.waitUntilConsuming(within: .seconds(10))
                let result = await outcome {
                    try #require(isConsuming)
                    response = try await client.search(randomWord(8))
                }
                await consumer.close()
                await consuming
                try result.get()
            }
            return try #require(response)
        }

        private static func reply(to request: Properties, from user: String, _ page: Page) -> OutgoingMessage {
            var headers: Headers = [Header.status: 200]
            if page == .html { headers[Header.location] = "https://evil.example/" }
            return OutgoingMessage(
                exchange: Exchange.replies, routingKey: request.replyTo ?? "", isMandatory: false,
                properties: Properties(
                    contentType: page == .html ? "text/html" : ContentType.json, headers: headers,
                    correlationID: request.correlationID, type: "search.posts.reply", userID: user),
                body: Array(#"{"items":[]}"#.utf8))
        }

        /// Runs a body with a connection of a service's broker user.
        @Loop private func withPublisher(
            of service: String, _ stack: Stack, _ body: @Loop (Publisher, String) async throws -> Void
        ) async throws {
            let address = try BrokerAddress(url: stack.secret("\(service)-amqp.url"))
            let publisher = Publisher(address: address, name: "journeys", log: .quiet)
            async let running: Void = publisher.run()
            let isAvailable = await publisher.waitUntilAvailable(within: .seconds(10))
            let result = await outcome {
                try #require(isAvailable)
                try await body(publisher, address.user)
            }
            await publisher.close()
            await running
            try result.get()
        }

        private func purge(_ queues: String...) async throws {
            let address = try BrokerAddress(url: TestEnvironment.value("WARREN_OPERATOR_URL"))
            try await Provisioner(address: address).perform(queues.map { .purge($0) })
        }
    }
}
