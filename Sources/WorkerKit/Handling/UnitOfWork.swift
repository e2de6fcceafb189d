internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Reactor

/// The transaction of a delivery: what the handler writes, the events it decides, and the inbox with its reply.
///
/// It goes ahead as if the delivery were the first: a second one runs into the inbox's primary key, is rolled back and
/// answered with the first one's reply. Begin, the inbox, the outbox and commit travel with the handler's statements:
/// one round trip to the database where the handler awaits none of them, two where it awaits one. Deliveries of a batch
/// share one transaction.
@Loop final class UnitOfWork {
    private let pool: PostgresPool
    private let message: IncomingMessage
    private let usesInbox: Bool
    private var isKnownToBeFirst = false
    private var isCommitted = false
    private var begun: Transaction?
    private var events: [Outbox.Event] = []

    /// A failure of the transaction that is the command's own fault.
    struct Refusal {
        let code: ProblemCode
        let isMeant: @Loop (PostgresError) -> Bool
    }

    /// Which failures are not retried.
    var refusals: [Refusal] = []

    /// - Parameter usesInbox: whether the reply is remembered under the message's id; events and queries have none.
    init(pool: PostgresPool, message: IncomingMessage, usesInbox: Bool) {
        self.pool = pool
        self.message = message
        self.usesInbox = usesInbox && message.id != nil
    }

    /// Whether something was decided that the relay must publish.
    var hasEvents: Bool { !events.isEmpty }
    /// Whether a checkpoint has committed events: they are to be published whatever becomes of the rest.
    private(set) var hasCommittedEvents = false

    func transaction() async throws(PostgresError) -> Transaction {
        if let begun { return begun }
        let transaction = try await pool.begin(deadline: .now + .seconds(10))
        begun = transaction
        return transaction
    }

    /// Shares the transaction of another delivery of the same batch.
    func join(_ transaction: Transaction) {
        begun = transaction
    }

    /// - Throws: ``Repeated`` where an earlier delivery was carried out.
    func stopIfRepeated() async throws {
        guard usesInbox, !isKnownToBeFirst else { return }
        if try await earlierReply() != nil { throw Repeated() }
        isKnownToBeFirst = true
    }

    func emit(_ event: Outbox.Event) {
        events.append(event)
    }

    /// Commits what the handler did, with its events and its reply; does nothing where that is done already.
    ///
    /// - Throws: `PostgresError`, also where an earlier delivery was carried out: ``earlierReply()`` has its reply.
    func commit(_ reply: Reply?) async throws(PostgresError) {
        guard !isCommitted else { return }
        try await Self.commit([(self, reply)])
    }

    /// Commits what the handlers of a batch did in the transaction that they share.
    static func commit(_ batch: [(work: UnitOfWork, reply: Reply?)]) async throws(PostgresError) {
        let events = batch.flatMap { $0.work.events }
        var answers: [Inbox.Answer] = []
        for (work, reply) in batch where work.usesInbox {
            guard let reply, let id = work.message.id else { continue }
            answers.append(await Inbox.Answer(id, work.message, reply))
        }
        guard let first = batch.first?.work, first.begun != nil || !events.isEmpty || !answers.isEmpty else { return }
        let transaction = try await first.transaction()
        if !events.isEmpty { Outbox.insert(events, in: transaction) }
        if !answers.isEmpty { Inbox.insert(answers, in: transaction) }
        try await transaction.commit()
        for (work, _) in batch { work.isCommitted = true }
    }

    /// Commits what was done so far and goes on in a new transaction; not where the inbox has one reply for all of it.
    func checkpoint() async throws(PostgresError) {
        guard !usesInbox else { return }
        defer { (begun, events, isCommitted) = (nil, [], false) }
        try await commit(nil)
        if hasEvents { hasCommittedEvents = true }
    }

    /// Undoes what the handler did, without waiting for it.
    func rollback() {
        begun?.close()
    }

    /// Undoes what the handler did, and has it begin anew.
    func abandon() {
        rollback()
        begun = nil
        events = []
    }

    /// Remembers the answer of a command that was refused, so that a second delivery is refused alike.
    ///
    /// - Returns: the reply of another delivery that was carried out before or meanwhile, where there was one.
    /// - Throws: `Problem` where the id is that of another command.
    func remember(_ reply: Reply) async throws -> Reply? {
        guard usesInbox, let id = message.id else { return nil }
        let answer = await Inbox.Answer(id, message, reply)
        let earlier = try await Inbox.remember(answer, in: pool)
        return try earlier.map { try self.reply(of: $0, answer.fingerprint) }
    }

    /// The reply of an earlier delivery, where there was one.
    ///
    /// - Throws: `Problem` where the id is that of another command; `PostgresError` where the inbox cannot be read.
    func earlierReply() async throws -> Reply? {
        guard usesInbox, let id = message.id, let entry = try await Inbox.find(id, in: pool) else { return nil }
        return try reply(of: entry, await Fingerprint.of(message.body))
    }

    /// What a command is answered whose carrying out has failed: as an earlier delivery was, whose effect may be what
    /// this one failed at, or with the refusal that the failure means.
    ///
    /// - Returns: the earlier delivery's reply; nothing where the failure is a passing one.
    /// - Throws: `Problem` where the command is refused; `PostgresError` where the inbox cannot be read.
    func earlierReply(insteadOf failure: any Error) async throws -> Reply? {
        if let reply = try await earlierReply() { return reply }
        if let failure = failure as? PostgresError, let refusal = refusals.first(where: { $0.isMeant(failure) }) {
            throw Problem(refusal.code)
        }
        return nil
    }

    private func reply(of entry: Inbox.Entry, _ fingerprint: [UInt8]) throws(Problem) -> Reply {
        guard entry.belongs(to: message, fingerprint) else { throw Problem(.idempotencyKeyReused) }
        return entry.reply
    }
}

/// A command that an earlier delivery has carried out already; the inbox has its reply.
struct Repeated: Error {}
