package import Contracts
internal import FoundationEssentials
package import Postgres
internal import Reactor

extension Handler {
    /// Makes the handler of the query `SERVICE.receipt`, which returns the reply of a command to the command's caller.
    ///
    /// A command without an inbox row is reported as `accepted`. The service cannot know whether such a command waits
    /// in a queue, runs, is a dead letter, was never sent, or was carried out so long ago that its row was deleted.
    /// The command of another caller is reported in the same way.
    package static func receipt(
        _ type: MessageType<EntityRequest, Receipt>, database: PostgresPool
    ) -> Handler {
        .request(type) { request, context in
            let caller = try context.caller
            let row = try await Inbox.find(request.id, in: database)
            guard let row, row.subject == caller.id else {
                return .json(Receipt(id: request.id, result: nil).jsonBytes())
            }
            // If the reply has no body, or a body that is not JSON, the receipt contains only its status.
            let body = (try? JSON.parse(row.reply.body, limits: .trusted)) ?? .null
            let result = CommandResult(status: row.reply.status, body: body)
            return .json(Receipt(id: request.id, result: result).jsonBytes())
        }
    }
}
