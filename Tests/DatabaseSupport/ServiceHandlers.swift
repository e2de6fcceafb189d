package import Logging
package import Postgres
package import Reactor
package import WorkerKit

/// The handlers of a service on a database, called without a broker.
@Loop package struct ServiceHandlers {
    private let handlers: [String: Handler]
    private let database: PostgresPool

    /// Makes a table of handlers, of which each type of message has one.
    package init(_ handlers: [Handler], database: PostgresPool) {
        self.handlers = Dictionary(uniqueKeysWithValues: handlers.map { ($0.type, $0) })
        self.database = database
    }

    /// The handler of a type of message; `nil` if the service has none.
    package subscript(_ type: String) -> Handler? { handlers[type] }

    /// Handles a message as a worker handles a delivery.
    ///
    /// - Returns: the reply; `nil` for an event.
    /// - Throws: the error for which a worker retries the message or makes it a dead letter.
    package func deliver(_ message: IncomingMessage) async throws -> Reply? {
        guard let handler = handlers[message.type] else {
            throw Unprocessable(reason: "no handler of \(message.type)")
        }
        switch await handler.carryOut(message, in: HandlerEnvironment(database: database, log: .quiet)) {
        case .reply(let reply): return reply
        case .applied: return nil
        case .failed(let error): throw error
        case .unprocessable(let reason): throw Unprocessable(reason: reason)
        }
    }

    /// A message that no retry can help, which a worker sends to the dead-letter queue.
    struct Unprocessable: Error {
        let reason: String
    }
}

extension Logger {
    /// Discards all messages.
    package static let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
}
