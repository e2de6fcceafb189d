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

        @Test("each principal may do what the contract lets it", arguments: Attempt.allowed)
        @Loop func allowed(attempt: Attempt) async throws {
            let reason = try await attempt.refusal()
            #expect(reason == nil)
        }

        @Test("no principal may do anything else", arguments: Attempt.refused)
        @Loop func refused(attempt: Attempt) async throws {
            let reason = try await attempt.refusal()
            #expect(reason?.contains("ACCESS_REFUSED") == true, "\(reason ?? "it was let")")
        }

        @Test("nobody forges the sender that the broker vouches for", arguments: Attempt.users)
        @Loop func forgery(user: String) async throws {
            let other = user == "ingress" ? "post" : "ingress"
            let (exchange, key) = try #require(Attempt.ownPlace[user])
            let forged = Properties(messageID: UUID().uuidString, type: key, userID: other)
            let reason = try await Attempt(user, .publish(exchange, key)).refusal(forged)
            #expect(reason?.contains("user_id") == true, "\(reason ?? "it was let")")
        }
    }
}
