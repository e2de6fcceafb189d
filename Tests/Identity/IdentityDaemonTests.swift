import AMQP
import Contracts
import DatabaseSupport
import Foundation
import JWTKit
import Reactor
import TestSupport
import Testing
import WorkerKit

@testable import IdentityService

@Suite("Identity daemon", .timeLimit(.minutes(2)), .serialized)
struct IdentityDaemonTests {
    @Test(
        "the identity daemon carries out each request from registration to logout, publishes one event, logs no secret"
    )
    @Loop func journey() async throws {
        try await IdentityDaemon.run { daemon in
            let name = "ida-" + String(UUID.v7().text.prefix(8))
            let password = "a password of \(name)"
            let registered = try await daemon.call(
                Messages.Identity.register,
                #"{"username": "\#(name)", "email": "\#(name)@example.org", "password": "\#(password)"}"#)
            let first = try session(registered, status: 201)
            #expect(try await eventually { daemon.events.count == 1 })
            let event = try EventEnvelope.decode(try #require(daemon.events.first).body).decode(AccountRegistered.self)
            #expect(event.data.id == first.account.id && event.data.username == name)

            let login = #"{"email": "\#(name.uppercased())@example.org", "password": "\#(password)"}"#
            let second = try session(try await daemon.call(Messages.Identity.login, login), status: 200)
            let refresh = #"{"refreshToken": "\#(second.refreshToken)"}"#
            let third = try session(try await daemon.call(Messages.Identity.refresh, refresh), status: 200)
            let me = try await daemon.call(Messages.Identity.me, "", as: first.account)
            #expect(try Account.schema.decode(try JSON.parse(me.body)) == first.account)
            #expect(try await daemon.call(Messages.Identity.me, "").status == 401)
            let logout = try await daemon.call(
                Messages.Identity.logout, #"{"refreshToken": "\#(third.refreshToken)"}"#)
            #expect(logout == .noContent)
            let late = try await daemon.call(
                Messages.Identity.refresh, #"{"refreshToken": "\#(third.refreshToken)"}"#)
            #expect(late.status == 401)

            #expect(try await eventually { daemon.log.contains("identity.logout") })
            let log = daemon.log
            for secret in [password, name] + [first, second, third].flatMap({ [$0.refreshToken, $0.accessToken] }) {
                #expect(!log.contains(secret))
            }
        }
    }

    @Test("the identity daemon replies to malformed requests with 400 or 422 and leaves none in its queue")
    @Loop func malformed() async throws {
        try await IdentityDaemon.run { daemon in
            let reply = try await daemon.call(Messages.Identity.login, #"{"email": "a@example.org", "password"#)
            #expect(reply.status == 400)
            #expect(reply.code == "malformed-json")
            let extra = #"{"email": "a@example.org", "password": "x", "otp": 1}"#
            #expect(try await daemon.call(Messages.Identity.login, extra).status == 422)
            #expect(try await daemon.queueDepth() == 0)
        }
    }

    @Test("a daemon whose log nobody reads carries out requests and stops with exit status 0")
    @Loop func stalledLog() async throws {
        try await IdentityDaemon.run(readsLog: false) { daemon in
            for _ in 0..<50 {
                let reply = try await daemon.call(Messages.Identity.login, #"{"email": "a@example.org", "password"#)
                #expect(reply.status == 400)
            }
        }
    }

    @Test(
        "without a valid signing key, the identity daemon exits with status 78 and one line that names the setting",
        arguments: [nil, "not a key"])
    func configuration(_ key: String?) async throws {
        let process = Process()
        process.executableURL = URL(filePath: try builtProgram("warren-identity"))
        process.environment = [
            "WARREN_AMQP_URL": "amqp://a:b@127.0.0.1:1/v", "WARREN_DATABASE_URL": "postgresql://127.0.0.1:1/none",
            "WARREN_REDIS_URL": "redis://127.0.0.1:1/0",
        ]
        process.environment?["WARREN_SIGNING_KEY"] = key
        let pipe = Pipe()
        process.standardError = pipe
        try process.run()
        let ended = try await eventually(within: .seconds(20)) { !process.isRunning }
        process.terminate()
        try #require(ended)
        let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(process.terminationStatus == 78)
        #expect(output.hasPrefix("warren-identity: WARREN_SIGNING_KEY: "))
        #expect(output.split(separator: "\n").count == 1)
    }

    private func session(_ reply: Reply, status: Int) throws -> Session {
        try #require(reply.status == status)
        return try Session.schema.decode(try JSON.parse(reply.body))
    }
}
