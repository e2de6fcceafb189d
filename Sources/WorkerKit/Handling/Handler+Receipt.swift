package import Contracts
internal import FoundationEssentials
package import Postgres
internal import Reactor

extension Handler {
    /// Makes the handler of the query `SERVICE.receipt`, which returns the state of a command to the command's caller.
    ///
    /// The status is `accepted` if the command has no row. The service cannot know whether such a command waits in a
    /// queue, runs, or was never sent. The command of another caller is reported in the same way.
    ///
    /// - Parameter retention: how long rows are stored. If a command that was accepted earlier has no row, the reply is
    ///   the problem `receipt-expired`.
    package static func receipt(
        _ type: MessageType<ReceiptRequest, Receipt>, database: PostgresPool, retention: Duration
    ) -> Handler {
        .request(type) { request, context in
            let caller = try context.caller
            if let row = try await Inbox.find(request.id, in: database), row.subject == caller.id {
                return .json(Receipt(id: request.id, status: .done, result: CommandResult(row.reply)).jsonBytes())
            }
            if let row = try await FailedCommands.find(request.id, in: database), row.subject == caller.id,
                !row.isOlder(than: request)
            {
                let result = CommandResult(Reply(status: row.status, body: row.body))
                return .json(Receipt(id: request.id, status: .failed, result: result).jsonBytes())
            }
            if let acceptedAt = request.acceptedAt, acceptedAt.advanced(by: retention) < .now() {
                throw Problem(.receiptExpired)
            }
            return .json(Receipt(id: request.id, status: .accepted).jsonBytes())
        }
    }
}

extension CommandResult {
    /// Makes the result from a stored reply. If the reply has no body, or a body that is not JSON, the result has only
    /// the reply's status.
    fileprivate init(_ reply: Reply) {
        self.init(status: reply.status, body: (try? JSON.parse(reply.body, limits: .trusted)) ?? .null)
    }
}

extension FailedCommands.StoredRow {
    /// How much the clocks of the database and of the sender may differ.
    private static let clockLeeway: Duration = .seconds(60)

    /// Whether the failure is older than the latest send.
    fileprivate func isOlder(than request: ReceiptRequest) -> Bool {
        guard let acceptedAt = request.acceptedAt else { return false }
        return failedAt.advanced(by: Self.clockLeeway) < acceptedAt
    }
}
