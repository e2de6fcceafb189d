import Contracts
import FoundationEssentials
import Testing

@testable import WorkerKit

@Suite("The shares of clients in a queue")
struct QueueSharesTests {
    private let account = ClientKey.account(UUID())
    private let address = ClientKey.address("192.0.2.1")

    @Test("an account occupies at most an eighth of the messages of a queue, and other accounts are not affected")
    func accountShare() throws {
        var shares = QueueShares()
        let claims = (0..<1250).compactMap { _ in shares.claim(Queue.postQueries, for: [account], bytes: 1 << 20) }
        #expect(claims.count == 1250)
        #expect(shares.claim(Queue.postQueries, for: [account], bytes: 1) == nil)
        #expect(shares.claim(Queue.postQueries, for: [.account(UUID())], bytes: 1) != nil)
        #expect(shares.claim(Queue.mediaQueries, for: [account], bytes: 1) != nil, "each queue has its own shares")
        shares.release(try #require(claims.first))
        #expect(shares.claim(Queue.postQueries, for: [account], bytes: 1) != nil)
    }

    @Test("the share in the queue of uploads is counted in bytes")
    func bytes() {
        var shares = QueueShares()
        let share = (1 << 30) / 8
        #expect(shares.claim(Queue.mediaUploads, for: [account], bytes: share - 10) != nil)
        #expect(shares.claim(Queue.mediaUploads, for: [account], bytes: 11) == nil)
        #expect(shares.claim(Queue.mediaUploads, for: [account], bytes: 10) != nil)
        #expect(shares.claim(Queue.mediaUploads, for: [account], bytes: 1) == nil)
    }

    @Test("all accounts of one address together occupy at most a quarter of a queue")
    func addressShare() {
        var shares = QueueShares()
        let share = (1 << 30) / 8
        for _ in 0..<2 {
            #expect(shares.claim(Queue.mediaUploads, for: [address, .account(UUID())], bytes: share) != nil)
        }
        #expect(shares.claim(Queue.mediaUploads, for: [address, .account(UUID())], bytes: 1) == nil)
        #expect(shares.claim(Queue.mediaUploads, for: [.address("192.0.2.2"), .account(UUID())], bytes: 1) != nil)
    }

    @Test("a refused claim changes no usage, and a released claim removes its entries")
    func refused() throws {
        var shares = QueueShares()
        let claim = shares.claim(Queue.mediaUploads, for: [account], bytes: (1 << 30) / 8)
        let whole = try #require(claim)
        #expect(shares.claim(Queue.mediaUploads, for: [address, account], bytes: 1) == nil)
        #expect(shares.count == 1)
        shares.release(whole)
        #expect(shares.count == 0)
    }
}
