internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor

/// The one transaction of a delivery: what the handler writes, the events it decides, and the inbox with its reply.
///
/// The look into the inbox travels with the handler's first statement, and the inbox and outbox rows with the commit:
/// two round trips to the database, whatever the handler does in one statement.
@Loop final class UnitOfWork {
    private let pool: PostgresPool
    private let message: IncomingMessage
    private let usesInbox: Bool
    private var hasLookedUp = false
    private var begun: Transaction?
    private var lookup: PendingQuery?
    private var events: [(id: UUID, type: String, body: [UInt8])] = []

    /// - Parameter usesInbox: whether the reply is remembered under the message's id; events and queries have none.
    init(pool: PostgresPool, message: IncomingMessage, usesInbox: Bool) {
        self.pool = pool
        self.message = message
        self.usesInbox = usesInbox && message.id != nil
    }

    /// Whether something was decided that the relay must publish.
    var hasEvents: Bool { !events.isEmpty }

    func transaction() async throws(PostgresError) -> Transaction {
        if let begun { return begun }
        let transaction = try await pool.begin(deadline: .now + .seconds(10))
        begun = transaction
        if usesInbox, !hasLookedUp, let id = message.id { lookup = Inbox.find(id, in: transaction) }
        return transaction
    }

    /// - Throws: ``Repeated`` where an earlier delivery was carried out.
    func stopIfRepeated() async throws {
        guard usesInbox, !hasLookedUp, lookup == nil, let id = message.id else { return }
        if let entry = try await Inbox.find(id, in: pool) { throw Repeated(reply: try answer(entry)) }
        hasLookedUp = true
    }

    func emit(id: UUID, type: String, body: [UInt8]) {
        events.append((id, type, body))
    }

    /// Commits what the handler did, with its events and its reply.
    ///
    /// - Returns: the reply to send: the given one, or that of an earlier delivery, whose effect then stands alone.
    func commit(_ reply: Reply?) async throws -> Reply? {
        guard usesInbox || !events.isEmpty || begun != nil else { return reply }
        let transaction = try await transaction()
        if let earlier = try await earlierReply() {
            transaction.close()
            return earlier
        }
        for event in events { Outbox.insert(event.id, type: event.type, body: event.body, in: transaction) }
        if usesInbox, let id = message.id, let reply { Inbox.insert(id, message, reply, in: transaction) }
        do {
            try await transaction.commit()
        } catch {
            await transaction.rollback()
            if let earlier = try await replyOfConcurrentDelivery(error) { return earlier }
            throw error
        }
        return reply
    }

    /// Undoes what the handler did, without waiting for it: what follows travels together with the rollback.
    ///
    /// - Returns: the reply of an earlier delivery, where there was one: the failure was then only its echo.
    func rollback() async -> Reply? {
        guard let begun else { return nil }
        let earlier = try? await earlierReply()
        begun.close()
        return earlier
    }

    /// Remembers the answer of a command that was refused, so that a second delivery is refused alike.
    ///
    /// - Returns: the reply to send: the given one, or that of a delivery that was carried out meanwhile, whose effect
    ///   may be what this one was refused for.
    /// - Throws: `Problem` where the id is that of another command.
    func remember(_ reply: Reply) async throws -> Reply {
        guard usesInbox, let id = message.id else { return reply }
        guard let earlier = try await Inbox.remember(id, message, reply, in: pool) else { return reply }
        return try answer(earlier)
    }

    private func earlierReply() async throws -> Reply? {
        guard let lookup else { return nil }
        let rows = try await lookup.rows()
        guard rows.count > 0 else { return nil }
        return try answer(Inbox.Entry(rows[0]))
    }

    private func replyOfConcurrentDelivery(_ error: PostgresError) async throws -> Reply? {
        guard error.sqlState == "23505", error.constraint == Inbox.primaryKey, let id = message.id,
            let entry = try await Inbox.find(id, in: pool)
        else { return nil }
        return try answer(entry)
    }

    private func answer(_ entry: Inbox.Entry) throws(Problem) -> Reply {
        guard entry.belongs(to: message) else { throw Problem(.idempotencyKeyReused) }
        return entry.reply
    }
}

/// A command that an earlier delivery has carried out already.
struct Repeated: Error {
    /// What it was answered with.
    let reply: Reply
}
