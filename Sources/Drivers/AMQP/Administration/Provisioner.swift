/// Makes and removes queues, exchanges and bindings: for tests and the operator. Daemons declare nothing.
package struct Provisioner: Sendable {
    /// One thing to do.
    package enum Step: Sendable {
        /// Declares a durable queue, with arguments such as `x-max-length`.
        case queue(String, arguments: Headers = [:])
        /// Declares a durable exchange of a type such as `topic`.
        case exchange(String, type: String)
        /// Binds a queue to an exchange.
        case binding(queue: String, exchange: String, key: String)
        /// Binds an exchange to another, from which it gets messages.
        case exchangeBinding(destination: String, source: String, key: String)
        /// Takes a binding back.
        case unbinding(queue: String, exchange: String, key: String)
        /// Deletes a queue and what is in it; one that is not there is no error.
        case deleteQueue(String)
        /// Deletes an exchange; one that is not there is no error.
        case deleteExchange(String)
        /// Empties a queue of what nobody has been handed.
        case purge(String)
    }

    /// What a queue holds.
    package struct Depth: Sendable, Equatable {
        /// Messages that nobody has been handed.
        package let ready: Int
        /// Consumers, of any connection.
        package let consumers: Int

        /// Makes a depth, to compare with.
        package init(ready: Int, consumers: Int) {
            self.ready = ready
            self.consumers = consumers
        }
    }

    private let address: BrokerAddress
    private let name: String

    /// Makes a provisioner, which connects for each call.
    ///
    /// - Parameters:
    ///   - address: the broker, with a user who may configure what is to be made.
    ///   - name: what the broker shows as the connection's name.
    package init(address: BrokerAddress, name: String) {
        self.address = address
        self.name = name
    }

    /// Does the steps in order, up to the first that fails.
    ///
    /// - Throws: ``BrokerError`` with the broker's code and text, such as 406 for a queue that is there with other arguments.
    package func perform(_ steps: [Step]) async throws(BrokerError) {
        _ = try await SetUp.run(address: address, name: name, interrupter: Interrupter()) {
            setUp throws(BrokerError) in
            try setUp.openChannel(1)
            for step in steps { try setUp.perform(step, channel: 1) }
            setUp.close()
        }
    }

    /// Looks what a queue holds.
    ///
    /// - Throws: ``BrokerError``, of code 404 where there is no such queue.
    package func depth(ofQueue queue: String) async throws(BrokerError) -> Depth {
        try await SetUp.run(address: address, name: name, interrupter: Interrupter()) {
            setUp throws(BrokerError) -> Depth in
            try setUp.openChannel(1)
            let depth = try setUp.expectQueue(queue, channel: 1)
            setUp.close()
            return depth
        }.1
    }
}
