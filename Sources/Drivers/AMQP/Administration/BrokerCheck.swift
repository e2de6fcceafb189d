/// Looks whether what a daemon needs is there, for its start.
package struct BrokerCheck: Sendable {
    private let address: BrokerAddress
    private let name: String

    /// Makes a check, which connects for each question.
    ///
    /// - Parameters:
    ///   - address: the broker.
    ///   - name: what the broker shows as the connection's name.
    package init(address: BrokerAddress, name: String) {
        self.address = address
        self.name = name
    }

    /// Names the exchanges and queues that are not there.
    ///
    /// - Returns: their names, exchanges first, in the order given.
    /// - Throws: ``BrokerError`` where the broker cannot be asked: it is away, or refuses the login.
    package func missing(exchanges: [String], queues: [String]) async throws(BrokerError) -> [String] {
        try await SetUp.run(address: address, name: name, interrupter: Interrupter()) {
            setUp throws(BrokerError) -> [String] in
            var missing: [String] = []
            var channel: UInt16 = 0
            for (isExchange, wanted) in exchanges.map({ (true, $0) }) + queues.map({ (false, $0) }) {
                // A passive declaration that fails closes its channel: each has its own.
                channel += 1
                try setUp.openChannel(channel)
                do throws(BrokerError) {
                    if isExchange {
                        try setUp.expectExchange(wanted, channel: channel)
                    } else {
                        try setUp.expectQueue(wanted, channel: channel)
                    }
                    try setUp.closeChannel(channel)
                } catch {
                    // 404: it is not there; 405: it is, as another connection's own.
                    guard error.kind == .channelClosed, error.code == 404 || error.code == 405 else { throw error }
                    if error.code == 404 { missing.append(wanted) }
                    setUp.confirmChannelClosed(channel)
                }
            }
            setUp.close()
            return missing
        }.1
    }
}
