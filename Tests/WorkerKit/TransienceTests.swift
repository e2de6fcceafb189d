import AMQP
import Contracts
import FoundationEssentials
import Reactor
import Redis
import Testing

@testable import WorkerKit

@Suite("Transient messages and tombstones")
struct TransienceTests {
    @Test("queries and credentials are not persistent and expire at their deadline, commands are persistent")
    func transient() {
        for message in Messages.all {
            let properties = OutgoingRequest(message, caller: nil, body: [], requestID: "x")
                .outgoing(correlationID: "1", replyTo: "r", principal: "p").properties
            #expect(properties.isPersistent == (message.kind == .command), "\(message.name)")
            let patience = UInt64(message.deadline / .milliseconds(1))
            #expect(properties.expiration == (message.kind == .command ? nil : patience), "\(message.name)")
        }
        #expect(Messages.all.filter { $0.kind == .credential }.count == 7)
    }

    @Test("a tombstone expires, but only after every reader that can hold the deleted row")
    @Loop func tombstone() async throws {
        try await CacheFixture.run { fixture in
            await fixture.entities.bury("a")
            let left = try await fixture.redis.send(["TTL", .string("\(fixture.name):a")]).integer
            // A reader lives at most 5 s.
            #expect((10...300).contains(left ?? -1))
        }
    }
}
