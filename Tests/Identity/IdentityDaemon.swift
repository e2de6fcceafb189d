import AMQP
import BrokerSupport
import Contracts
import DatabaseSupport
import Foundation
import Logging
import Reactor
import TestSupport
import Testing
import WorkerKit

@testable import IdentityService

/// The identity daemon as a process that uses real servers, with a client that sends requests to it.
@Loop final class IdentityDaemon {
    let requester: Requester
    private(set) var events: [Delivery] = []
    private let process = Process()
    private let directory: String
    private let address: BrokerAddress
    private let publisher: Publisher
    private let eventQueue = "test.identity." + UUID.v7().text

    private init(directory: String, databaseURL: String) throws {
        let broker = try TestEnvironment.value("WARREN_TEST_DAEMONS_AMQP_URL")
        let address = try BrokerAddress(url: broker)
        self.address = address
        publisher = Publisher(address: address, name: "tests", log: .quiet)
        let user = address.user
        requester = Requester(publisher: publisher, principal: user, limit: 100, log: .quiet) { _ in user }
        self.directory = directory
        process.executableURL = URL(filePath: try builtProgram("warren-identity"))
        process.environment = [
            "WARREN_AMQP_URL": broker, "WARREN_DATABASE_URL": databaseURL,
            "WARREN_REDIS_URL": try TestEnvironment.value("WARREN_TEST_REDIS_URL"),
            "WARREN_SIGNING_KEY_FILE": "\(directory)/signing-key.pem", "WARREN_TRUSTED_PRINCIPALS": address.user,
            "WARREN_LOG_LEVEL": "trace", "WARREN_HEALTH_FILE": "\(directory)/healthy",
        ]
    }

    /// The output of the process so far.
    var log: String { (try? String(contentsOfFile: "\(directory)/log", encoding: .utf8)) ?? "" }

    /// Runs a test while the process runs, then expects it to exit with 0 after SIGTERM.
    ///
    /// - Parameter readsLog: if it is `false`, the process writes its log to a full pipe that nobody reads.
    static func run(
        readsLog: Bool = true, _ body: @Loop (IdentityDaemon) async throws -> Void
    ) async throws {
        try await WarrenCommand.withDirectory { directory in
            try #require(try await WarrenCommand.run(["keys", "new", directory]).status == 0)
            try await IdentityFixture.withSchema { url in
                let daemon = try IdentityDaemon(directory: directory, databaseURL: url)
                try await daemon.declareQueues()
                try await daemon.runProcess(readsLog: readsLog, body)
            }
        }
    }

    private func runProcess(readsLog: Bool, _ body: @Loop (IdentityDaemon) async throws -> Void) async throws {
        try Data().write(to: URL(filePath: "\(directory)/log"))
        let output = try FileHandle(forWritingTo: URL(filePath: "\(directory)/log"))
        let pipe = Pipe()
        if !readsLog { try Self.fill(pipe) }
        process.standardError = readsLog ? output : pipe.fileHandleForWriting
        process.standardOutput = output
        try process.run()
        do {
            let isReady = try await eventually(within: .seconds(30)) {
                FileManager.default.fileExists(atPath: "\(directory)/healthy") || !process.isRunning
            }
            try #require(isReady && process.isRunning, "\(log)")
            try await withConnections { try await body(self) }
        } catch {
            process.terminate()
            try await removeQueues()
            throw error
        }
        process.terminate()
        #expect(try await eventually(within: .seconds(30)) { !process.isRunning })
        #expect(!process.isRunning && process.terminationStatus == 0)
        try await removeQueues()
    }

    /// Writes to a pipe until it is full.
    private static func fill(_ pipe: Pipe) throws {
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        let flags = fcntl(descriptor, F_GETFL)
        try #require(fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0)
        while write(descriptor, "x", 1) == 1 {}
        try #require(errno == EAGAIN && fcntl(descriptor, F_SETFL, flags) == 0)
    }

    private func withConnections(_ body: @Loop () async throws -> Void) async throws {
        let events = Subscription.queue(eventQueue, prefetch: 10) { [weak self] delivery in
            self?.events.append(delivery)
            delivery.ack()
        }
        let address = address
        let consumer = Consumer(
            address: address, name: "tests", subscriptions: [requester.subscription, events], log: .quiet)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await self.publisher.run() }
            group.addTask { await consumer.run() }
            let isConnected = await publisher.waitUntilAvailable(within: .seconds(20))
            let isConsuming = await consumer.waitUntilConsuming(within: .seconds(20))
            do {
                try #require(isConnected && isConsuming)
                try await body()
            } catch {
                await publisher.close(within: .seconds(2))
                await consumer.close()
                throw error
            }
            await publisher.close(within: .seconds(2))
            await consumer.close()
        }
    }

    /// Sends a request and waits for its reply.
    func call<Body, Answer>(
        _ type: MessageType<Body, Answer>, _ body: some StringProtocol, as account: Account? = nil
    ) async throws -> Reply {
        let request = OutgoingRequest(
            type.descriptor, caller: account.map { Caller(id: $0.id, username: $0.username) },
            body: Array(body.utf8), requestID: "test")
        guard case .reply(let reply) = await requester.send(request) else {
            throw AMQPError(.malformed, "the daemon did not reply")
        }
        return reply
    }

    /// Returns the number of messages in the service's queue that were not delivered to a consumer.
    func queueDepth() async throws -> Int {
        try await Provisioner(address: address).depth(ofQueue: Queue.identityCommands).ready
    }

    private func declareQueues() async throws {
        var steps: [Provisioner.Step] = [Exchange.commands, Exchange.events, Exchange.retry].map {
            .exchange($0, type: "topic")
        }
        steps += [
            .exchange(Exchange.replies, type: "direct"),
            .queue(
                Queue.identityCommands,
                arguments: ["x-queue-type": "classic", "x-max-length": 10000, "x-overflow": "reject-publish"]),
            .queue(eventQueue),
            .binding(queue: eventQueue, exchange: Exchange.events, key: AccountRegistered.type),
        ]
        steps += Messages.descriptors.filter { $0.service == .identity && $0.kind == .credential }.map {
            .binding(queue: Queue.identityCommands, exchange: Exchange.commands, key: $0.name)
        }
        try await Provisioner(address: address).perform(steps)
    }

    private func removeQueues() async throws {
        try await Provisioner(address: address)
            .perform([.deleteQueue(Queue.identityCommands), .deleteQueue(eventQueue)])
    }
}
