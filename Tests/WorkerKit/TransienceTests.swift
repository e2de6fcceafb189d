import AMQP
import Contracts
import FoundationEssentials
import Reactor
import Redis
import Testing

@testable import WorkerKit

@Suite("What does not come to rest")
struct TransienceTests {
    @Test("is every query, and all that bears a password or a token: off the disk, and gone with its sender's patience")
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

    @Test("is a tombstone, but not before every reader has gone that may hold what was deleted")
    @Loop func tombstone() async throws {
        try await Shelf.run { shelf in
            await shelf.things.bury("a")
            let left = try await shelf.redis.send(["TTL", .string("\(shelf.name):a")]).integer
            // A reader has 5 s.
            #expect((10...300).contains(left ?? -1))
        }
    }
}
