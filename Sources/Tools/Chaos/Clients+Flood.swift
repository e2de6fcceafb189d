import ChaosKit
import Contracts
import Curl
import Reactor

extension Clients {
    /// The maximum number of requests of a flood that have no response yet.
    private static let floodLimit = 2_000
    /// How often a flood sends requests.
    private static let tick: Duration = .milliseconds(10)

    /// Sends requests at a fixed rate, without waiting for the responses: every other one creates a post, and the
    /// others read the list of posts.
    ///
    /// - Returns: the number of requests that were sent.
    func flood(perSecond rate: Int, for length: Duration) async -> Int {
        let start = ContinuousClock.now
        let counter = Counter()
        await withDiscardingTaskGroup { group in
            while .now < start + length {
                let due = Int(Double(rate) * ((.now - start) / .seconds(1)))
                while counter.sent < due, counter.open < Self.floodLimit {
                    counter.sent += 1
                    counter.open += 1
                    let number = counter.sent
                    group.addTask {
                        await self.sendFloodRequest(number)
                        await counter.close()
                    }
                }
                try? await Loop.sleep(for: Self.tick)
            }
        }
        return counter.sent
    }

    @Loop private final class Counter {
        var sent = 0
        var open = 0

        func close() { open -= 1 }
    }

    /// Posts that were refused are not in the ledger. If one of them is stored, it has no item, which is a finding.
    private func sendFloodRequest(_ number: Int) async {
        let account = number % accounts.count
        guard number.isMultiple(of: 2) else {
            _ = await get(.post, "/v1/posts?limit=20", account)
            return
        }
        let mark = "\(prefix) flood \(number)"
        let response = await http.send(
            .init(
                .post, "POST", "/v1/posts", json: ["content": .string(mark)], token: accounts[account].token,
                key: "\(prefix)-flood-\(number)"))
        var item = Item(.post, mark: mark, owner: account)
        item.creation = outcome(of: response)
        guard item.creation != .refused, item.creation != .unavailable else { return }
        item.id = response.flatMap { try? JSON.parse($0.body) }?["id"]?.string
        if item.creation == .done { commandCount += 1 }
        _ = add(item)
    }
}
