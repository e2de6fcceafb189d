import AMQP
import Contracts
import Foundation
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Least privilege") struct Permissions {
        @Test("the broker knows the principals of the contract and no other")
        @Loop func principals() async throws {
            let stack = try Stack()
            let text = try await stack.rabbitmqctl("list_permissions", "-p", "warren")
            var rights: [String: [String]] = [:]
            for line in text.split(separator: "\n").dropFirst() {
                let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                rights[words[0]] = Array(words.dropFirst())
            }
            #expect(
                Set(rights.keys)
                    == ["ingress", "integrator", "identity", "post", "media", "search", "operator"])
            for service in Stack.workers {
                let mine = try #require(rights[service])
                #expect(mine[0].isEmpty, "\(service) may configure nothing")
                #expect(!mine[1].contains("amq"), "\(service) may not write the default exchange")
                #expect(mine[1].contains("commands") == (service == "search"))
                for other in Stack.workers where other != service { #expect(!mine[2].contains(other)) }
            }
            #expect(rights["operator"] == ["", "^warren\\.requeue$", "\\.dead$"])
        }

        @Test("a service's database role opens its own database and no other's", arguments: Stack.workers)
        func databases(service: String) async throws {
            let own = try TestEnvironment.value("WARREN_\(service.uppercased())_DATABASE_URL")
            for database in Stack.workers + ["postgres"] {
                let slash = try #require(own.lastIndex(of: "/"))
                let command = Command(
                    path: "/usr/bin/psql", arguments: ["-XAtc", "SELECT 1", "\(own[...slash])\(database)"])
                let ended = try await command.run()
                if database == service {
                    #expect(ended.status == 0, "\(ended.errors)")
                } else {
                    #expect(ended.status == 2, "\(service) opened \(database)")
                    // pg_hba.conf refuses before the database's own privileges would.
                    let reasons = ["no pg_hba.conf entry", "permission denied for database"]
                    #expect(reasons.contains { ended.errors.contains($0) }, "\(ended.errors)")
                }
            }
        }

        @Test(
            "a worker's broker user publishes neither commands, nor past the exchanges, nor others' events or retries")
        @Loop func workers() async throws {
            // What it may: its own event and its own retry, which go to nobody and to where they came from.
            for allowed in [(Exchange.events, "post.tested"), (Exchange.replies, "nobody")] {
                #expect(try await refusal("post", allowed.0, allowed.1) == nil)
            }
            for forbidden in [
                (Exchange.commands, "post.create"), ("", "post.commands"), (Exchange.events, "media.uploaded"),
                (Exchange.retry, "1s.media.commands"), (Exchange.requeue, "1s.post.commands"),
                (Exchange.dead, "post.commands"),
            ] {
                let reason = try await refusal("post", forbidden.0, forbidden.1)
                #expect(reason?.contains("ACCESS_REFUSED") == true, "\(forbidden): \(reason ?? "taken")")
            }
            let identity = try await refusal("identity", Exchange.retry, "1s.identity.commands")
            #expect(identity?.contains("ACCESS_REFUSED") == true, "credentials never come to rest in a retry queue")
            let search = try await refusal("search", Exchange.commands, "post.delete")
            #expect(search?.contains("ACCESS_REFUSED") == true, "search may ask for posts, not delete them")
        }

        @Test("a worker's broker user reads no other service's queue")
        @Loop func foreignQueues() async throws {
            let stack = try Stack()
            for (user, queue) in [
                ("post", Queue.identityCommands), ("post", Queue.mediaCommands), ("media", Queue.postEvents),
                ("search", Queue.dead(of: Queue.searchEvents)), ("ingress", Queue.postCommands),
            ] {
                let log = CapturedLog()
                let address = try BrokerAddress(url: stack.secret("\(user)-amqp.url"))
                let consumer = Consumer(
                    address: address, name: "journeys",
                    subscriptions: [.queue(queue, prefetch: 1) { $0.reject(requeue: true) }], log: log.logger)
                async let running: Void = consumer.run()
                #expect(try await eventually(within: .seconds(10)) { log.text.contains("ACCESS_REFUSED") })
                #expect(consumer.state != .consuming, "\(user) reads \(queue)")
                await consumer.close()
                await running
            }
        }

        @Test("nobody forges the sender that the broker vouches for")
        @Loop func forgery() async throws {
            let properties = Properties(messageID: UUID().uuidString, type: "post.create", userID: "ingress")
            for (exchange, key) in [(Exchange.commands, "post.create")] {
                let reason = try await refusal("integrator", exchange, key, properties)
                #expect(reason?.contains("user_id") == true, "\(reason ?? "taken")")
            }
        }

        /// Why the broker refuses a user's message; nil where it takes it.
        @Loop private func refusal(
            _ user: String, _ exchange: String, _ key: String, _ properties: Properties = Properties()
        ) async throws -> String? {
            let log = CapturedLog()
            let url =
                user == "integrator"
                ? try TestEnvironment.value("WARREN_INTEGRATOR_URL") : try Stack().secret("\(user)-amqp.url")
            let publisher = Publisher(address: try BrokerAddress(url: url), name: "journeys", log: log.logger)
            async let running: Void = publisher.run()
            try #require(await publisher.waitUntilAvailable(within: .seconds(10)))
            var isTaken = true
            do {
                try await publisher.publishConfirmed(
                    OutgoingMessage(exchange: exchange, routingKey: key, properties: properties, body: []))
            } catch {
                isTaken = false
                _ = try await eventually(within: .seconds(5)) { log.text.contains("no connection") }
            }
            await publisher.close()
            await running
            return isTaken ? nil : log.text
        }
    }
}
