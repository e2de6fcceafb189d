package import Postgres
package import Reactor
internal import TestSupport
package import WorkerKit

/// The handlers of a service, which tests call without a broker.
@Loop package struct ServiceHandlers {
    private let handlers: [String: Handler]
    private let database: PostgresPool

    /// Makes a table of handlers, one for each message type.
    package init(_ handlers: [Handler], database: PostgresPool) {
        self.handlers = Dictionary(uniqueKeysWithValues: handlers.map { ($0.type, $0) })
        self.database = database
    }

    /// The handler of a message type; `nil` if the service has none.
    package subscript(_ type: String) -> Handler? { handlers[type] }

    /// Handles a message as a worker handles a delivery.
    ///
    /// - Returns: the reply; `nil` for an event.
    /// - Throws: the error for which a worker retries the message or makes it a dead letter.
    package func deliver(_ message: IncomingMessage) async throws -> Reply? {
        guard let handler = handlers[message.type] else {
            throw Unprocessable(reason: "no handler for \(message.type)")
        }
        switch await handler.carryOut(message, in: HandlerEnvironment(database: database, log: .quiet)) {
        case .reply(let reply): return reply
        case .applied: return nil
        case .failed(let error): throw error
        case .unprocessable(let reason): throw Unprocessable(reason: reason)
        }
    }

    /// The error of a message that a worker moves to the dead-letter queue at once, because a retry cannot succeed.
    struct Unprocessable: Error {
        let reason: String
    }
}
