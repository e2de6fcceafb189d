package import AMQP
internal import Reactor

/// Declares, binds and deletes queues and exchanges on a real broker. Each call makes a connection of its own.
package struct Provisioner: Sendable {
    /// An operation on the broker.
    package enum Step: Sendable {
        /// Declares a durable queue. Its arguments, such as `x-max-length`, can be texts, integers and Booleans.
        case queue(String, arguments: Headers = [:])
        /// Declares a durable exchange of a type such as `topic`.
        case exchange(String, type: String)
        /// Binds a queue to an exchange.
        case binding(queue: String, exchange: String, key: String)
        /// Binds the exchange `destination` to the exchange `source`.
        case exchangeBinding(destination: String, source: String, key: String)
        /// Removes the binding of a queue to an exchange.
        case unbinding(queue: String, exchange: String, key: String)
        /// Deletes a queue with its messages, if it exists.
        case deleteQueue(String)
        /// Deletes an exchange, if it exists.
        case deleteExchange(String)
        /// Removes the ready messages of a queue.
        case purge(String)
    }

    /// The number of ready messages and of consumers of a queue.
    package struct Depth: Sendable, Equatable {
        /// The number of messages that have not been delivered.
        package let ready: Int
        /// The number of consumers on all connections.
        package let consumers: Int

        /// Makes a depth, for comparisons.
        package init(ready: Int, consumers: Int) {
            self.ready = ready
            self.consumers = consumers
        }
    }

    /// The broker cannot be reached, or it refused a step.
    package struct Failure: Error, CustomStringConvertible {
        /// The broker's reply code, such as 406 for a queue that exists with other arguments; 0 if the broker sent
        /// no code.
        package let code: UInt16
        /// The broker's or rabbitmq-c's text.
        package let text: String

        /// The code and the text.
        package var description: String { "\(code) \(text)" }
    }

    private let address: BrokerAddress

    /// Makes a provisioner.
    ///
    /// - Parameter address: the broker, with a user that has the permission to configure.
    package init(address: BrokerAddress) {
        self.address = address
    }

    /// Carries out the steps in order.
    ///
    /// - Throws: the ``Failure`` of the first step that fails. Later steps are not carried out.
    package func perform(_ steps: [Step]) async throws {
        try await onConnection { connection throws(Failure) in
            for step in steps { try connection.perform(step) }
        }
    }

    /// Returns the number of ready messages and of consumers of a queue.
    ///
    /// - Throws: ``Failure`` with the code 404 if the queue does not exist.
    package func depth(ofQueue queue: String) async throws -> Depth {
        try await onConnection { connection throws(Failure) in try connection.depth(ofQueue: queue) }
    }

    private func onConnection<Value: Sendable>(
        _ body: @escaping @Sendable (ProvisioningConnection) throws(Failure) -> Value
    ) async throws -> Value {
        let address = address
        let result = await onOwnThread { () -> Result<Value, Failure> in
            do throws(Failure) {
                let connection = try ProvisioningConnection(address)
                return .success(try body(connection))
            } catch {
                return .failure(error)
            }
        }
        guard let result else { throw CancellationError() }
        return try result.get()
    }
}
