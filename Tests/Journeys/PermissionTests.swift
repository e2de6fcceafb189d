import AMQP
import Contracts
import Foundation
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Least privilege") struct Permissions {
        @Test("the broker has permissions for exactly the users of the contract, and none that they do not need")
        @Loop func principals() async throws {
            let stack = try Stack()
            let text = try await stack.rabbitmqctl("list_permissions", "-p", "warren")
            var permissions: [String: [String]] = [:]
            for line in text.split(separator: "\n").dropFirst() {
                let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                permissions[words[0]] = Array(words.dropFirst())
            }
            #expect(
                Set(permissions.keys)
                    == ["ingress", "integrator", "identity", "post", "media", "search", "operator"])
            for service in Stack.workers {
                let own = try #require(permissions[service])
                #expect(own[0].isEmpty, "\(service) may configure")
                #expect(!own[1].contains("amq"), "\(service) may publish to the default exchange")
                #expect(own[1].contains("commands") == (service == "search"))
                for other in Stack.workers where other != service { #expect(!own[2].contains(other)) }
            }
            #expect(permissions["operator"] == ["", "^warren\\.requeue$", "\\.dead$"])
        }

        @Test("the database role of a service can connect to its own database only", arguments: Stack.workers)
        func databases(service: String) async throws {
            let own = try TestEnvironment.value("WARREN_\(service.uppercased())_DATABASE_URL")
            for database in Stack.workers + ["postgres"] {
                let slash = try #require(own.lastIndex(of: "/"))
                let command = Program(
                    path: "/usr/bin/psql", arguments: ["-XAtc", "SELECT 1", "\(own[...slash])\(database)"])
                let exit = try await command.run()
                if database == service {
                    #expect(exit.status == 0, "\(exit.errors)")
                } else {
                    #expect(exit.status == 2, "\(service) connected to \(database)")
                    // pg_hba.conf refuses the connection; without it, the privileges of the database would.
                    let reasons = ["no pg_hba.conf entry", "permission denied for database"]
                    #expect(reasons.contains { exit.errors.contains($0) }, "\(exit.errors)")
                }
            }
        }

        @Test("the broker allows an operation that a user needs", arguments: PermissionCheck.allowed)
        @Loop func allowed(check: PermissionCheck) async throws {
            let reason = try await check.refusal()
            #expect(reason == nil)
        }

        @Test("the broker refuses an operation that a user does not need", arguments: PermissionCheck.refused)
        @Loop func refused(check: PermissionCheck) async throws {
            let reason = try await check.refusal()
            #expect(reason?.contains("ACCESS_REFUSED") == true, "\(reason ?? "allowed")")
        }

        @Test("the broker refuses a message whose user_id names another user", arguments: PermissionCheck.users)
        @Loop func forgery(user: String) async throws {
            let other = user == "ingress" ? "post" : "ingress"
            let (exchange, key) = try #require(PermissionCheck.allowedTargets[user])
            let forged = Properties(messageID: UUID().uuidString, type: key, userID: other)
            let reason = try await PermissionCheck(user, .publish(exchange, key)).refusal(forged)
            #expect(reason?.contains("user_id") == true, "\(reason ?? "allowed")")
        }
    }
}
