package import Contracts
internal import FoundationEssentials
package import Postgres
internal import Reactor

extension Handler {
    /// A handler of `SERVICE.receipt`: tells the caller of a command what became of it.
    ///
    /// A command that is not in the inbox is `accepted`: it waits, or was never sent, which nobody here can tell apart.
    /// Another caller's command is answered as one that is not there.
    package static func receipt(
        _ type: MessageType<EntityRequest, Receipt>, database: PostgresPool
    ) -> Handler {
        .request(type) { request, context in
            let caller = try context.caller
            let entry = try await Inbox.find(request.id, in: database)
            guard let entry, entry.subject == caller.id else {
                return .json(Receipt(id: request.id, result: nil).jsonBytes())
            }
            // A reply without a body, or with one that is no JSON, has nothing to show here but its status.
            let body = (try? JSON.parse(entry.reply.body, limits: .trusted)) ?? .null
            let result = CommandResult(status: entry.reply.status, body: body)
            return .json(Receipt(id: request.id, result: result).jsonBytes())
        }
    }
}
