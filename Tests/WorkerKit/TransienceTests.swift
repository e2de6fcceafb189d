import AMQP
import Contracts
import FoundationEssentials
import Reactor
import Redis
import Testing

@testable import WorkerKit

@Suite("Transient messages and tombstones")
struct TransienceTests {
    @Test("queries and credentials are transient and expire at their deadline, and commands are persistent")
    func transient() {
        for message in Messages.descriptors {
            let properties = OutgoingRequest(message, caller: nil, body: [], requestID: "x")
                .makeMessage(correlationID: "1", replyTo: "r", principal: "p").properties
            #expect(properties.isPersistent == (message.kind == .command), "\(message.name)")
            let timeout = UInt64(message.timeout / .milliseconds(1))
            #expect(properties.expiration == (message.kind == .command ? nil : timeout), "\(message.name)")
        }
        #expect(Messages.descriptors.filter { $0.kind == .credential }.count == 7)
    }

    @Test("a tombstone expires, but not before every query that has read the deleted row has ended")
    @Loop func tombstone() async throws {
        try await CacheFixture.run { fixture in
            await fixture.entities.putTombstone("a")
            let timeToLive = try await fixture.redis.send(["TTL", .string(fixture.entityKey("a"))]).integer
            // A query has a deadline of 5 s.
            #expect((10...300).contains(timeToLive ?? -1))
        }
    }
}
