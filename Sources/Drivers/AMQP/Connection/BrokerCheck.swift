/// Checks at start-up that the exchanges and queues that a daemon needs exist.
package struct BrokerCheck: Sendable {
    private let address: BrokerAddress
    private let name: String

    /// Makes a check. Each call makes a connection of its own.
    ///
    /// - Parameters:
    ///   - address: the broker.
    ///   - name: the connection's name, as the broker shows it.
    package init(address: BrokerAddress, name: String) {
        self.address = address
        self.name = name
    }

    /// Returns the names of the exchanges and queues that do not exist.
    ///
    /// - Returns: the missing names, exchanges first, in the given order.
    /// - Throws: ``AMQPError`` if the broker cannot be reached or refuses the login.
    package func missing(exchanges: [String], queues: [String]) async throws(AMQPError) -> [String] {
        try await BlockingConnection.connect(to: address, name: name) {
            connection throws(AMQPError) -> [String] in
            var missing: [String] = []
            var channel: UInt16 = 0
            for (isExchange, wanted) in exchanges.map({ (true, $0) }) + queues.map({ (false, $0) }) {
                // The broker closes the channel of a passive declaration that fails, so each one gets its own.
                channel += 1
                try connection.openChannel(channel)
                do throws(AMQPError) {
                    if isExchange {
                        try connection.expectExchange(wanted, channel: channel)
                    } else {
                        try connection.expectQueue(wanted, channel: channel)
                    }
                    try connection.closeChannel(channel)
                } catch {
                    // 404: it does not exist. 405: it exists, and is exclusive to another connection.
                    guard error.code == .channelClosed, error.replyCode == 404 || error.replyCode == 405 else {
                        throw error
                    }
                    if error.replyCode == 404 { missing.append(wanted) }
                    connection.confirmChannelClosed(channel)
                }
            }
            connection.close()
            return missing
        }.1
    }
}
