/// Checks at start-up whether the exchanges and queues of a daemon exist.
package struct BrokerCheck: Sendable {
    private let address: BrokerAddress
    private let name: String

    /// Makes a check. Each call of ``missing(exchanges:queues:)`` makes a connection of its own.
    ///
    /// - Parameters:
    ///   - address: the broker.
    ///   - name: the connection's name, as the broker shows it.
    package init(address: BrokerAddress, name: String) {
        self.address = address
        self.name = name
    }

    /// Checks which of the given exchanges and queues do not exist. A queue exists even if the node of the cluster that
    /// it is on is down.
    ///
    /// - Returns: the names that do not exist, exchanges first, in the given order.
    /// - Throws: ``AMQPError`` if the broker cannot be reached or refuses the login.
    package func missing(exchanges: [String], queues: [String]) async throws(AMQPError) -> [String] {
        try await BlockingConnection.connect(to: { [address] in address }, name: name) {
            connection throws(AMQPError) -> [String] in
            var missing: [String] = []
            var channel: UInt16 = 0
            for (isExchange, wanted) in exchanges.map({ (true, $0) }) + queues.map({ (false, $0) }) {
                // The broker closes the channel if the check fails, so each check gets a channel of its own.
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
                    // 404: the name does not exist. 405: the queue exists, but is exclusive to another connection.
                    guard error.code == .channelClosed, error.replyCode == 404 || error.replyCode == 405 else {
                        throw error
                    }
                    if error.replyCode == 404, !error.isHomeNodeDown { missing.append(wanted) }
                    connection.confirmChannelClosed(channel)
                }
            }
            connection.close()
            return missing
        }.1
    }
}

extension AMQPError {
    /// Whether the broker refuses to use a classic queue because the node that it is on is down. RabbitMQ distinguishes
    /// this from a queue that does not exist only by the text (`rabbit_amqqueue:absent/2`, 3.10 to 4.2).
    fileprivate var isHomeNodeDown: Bool { message.contains("is down or inaccessible") }
}
