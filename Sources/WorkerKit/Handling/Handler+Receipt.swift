package import Contracts
internal import FoundationEssentials
package import Postgres
internal import Reactor

extension Handler {
    /// Makes a handler of `SERVICE.receipt`, which returns the reply of a command to the command's caller.
    ///
    /// The state of a command without an inbox row is `accepted`: it waits in a queue, or was never sent, which the
    /// service cannot tell apart. Another caller's command is reported in the same way.
    package static func receipt(
        _ type: MessageType<EntityRequest, Receipt>, database: PostgresPool
    ) -> Handler {
        .request(type) { request, context in
            let caller = try context.caller
            let row = try await Inbox.find(request.id, in: database)
            guard let row, row.subject == caller.id else {
                return .json(Receipt(id: request.id, result: nil).jsonBytes())
            }
            // A reply without a body, or with one that is not JSON, is shown by its status alone.
            let body = (try? JSON.parse(row.reply.body, limits: .trusted)) ?? .null
            let result = CommandResult(status: row.reply.status, body: body)
            return .json(Receipt(id: request.id, result: result).jsonBytes())
        }
    }
}
