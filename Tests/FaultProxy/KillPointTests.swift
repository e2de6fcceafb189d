import Contracts
import Testing

@testable import FaultProxy

@Suite("Kill points")
struct KillPointTests {
    typealias Step = TappedWorker.Step

    private static let prepare =
        PostgresBytes.parse("s1", "BEGIN") + PostgresBytes.run("s1")
        + PostgresBytes.parse("s2", "INSERT INTO posts (id) VALUES ($1)") + PostgresBytes.run("s2")
        + PostgresBytes.parse("s3", "INSERT INTO inbox (id, type) SELECT * FROM unnest($1, $2)")
        + PostgresBytes.run("s3") + PostgresBytes.parse("s4", "COMMIT")
    private static let answersBeforeLast =
        PostgresBytes.parsed + PostgresBytes.ran("BEGIN") + PostgresBytes.parsed + PostgresBytes.ran("INSERT 0 1")
        + PostgresBytes.parsed + PostgresBytes.bound + PostgresBytes.noData
    private static let answers = answersBeforeLast + PostgresBytes.completed("INSERT 0 1") + PostgresBytes.parsed
    private static let beforeCommitAnswer = answers + PostgresBytes.bound + PostgresBytes.noData

    // A command, as a worker handles it. The transaction is sent in one write.
    private static let deliver = Step(
        "deliver", .consumer, .server, AMQPBytes.deliver(ExchangeName.commands, "post.create", tag: 1, id: "id-1"))
    private static let transaction = Step(
        "transaction", .database, .client, prepare + PostgresBytes.run("s4") + PostgresBytes.sync)
    private static let committed = Step(
        "committed", .database, .server, beforeCommitAnswer + PostgresBytes.completed("COMMIT") + PostgresBytes.ready)
    private static let reply = Step(
        "reply", .publisher, .client, AMQPBytes.publish(ExchangeName.replies, "ingress", id: "id-1"))
    private static let ack = Step("ack", .consumer, .client, AMQPBytes.ack(1))
    private static let event = Step(
        "event", .publisher, .client, AMQPBytes.publish(ExchangeName.events, "post.created", channel: 2))
    private static let confirm = Step("confirm", .publisher, .server, AMQPBytes.ack(1, channel: 2))
    private static let command = [deliver, transaction, committed, reply, ack, event, confirm]

    /// Performs the steps, also with each step split at every byte, and checks the forwarded bytes of each step and the
    /// step in which the kill point is reached. Steps that are not in `forwarded` must be held back completely.
    private func expect(
        _ steps: [Step], at point: KillPoint, forwarded: [String: [UInt8]], reached: String?,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let worker = TappedWorker(point)
        var expected = TappedWorker.Outcome(reached: reached.map { [$0] } ?? [])
        for step in steps { expected.forwarded[step.name] = forwarded[step.name] ?? [] }
        #expect(worker.perform(steps) == expected, sourceLocation: sourceLocation)
        for (number, step) in steps.enumerated() {
            for position in 1..<step.bytes.count {
                let outcome = worker.perform(steps, cut: (number, position))
                #expect(outcome == expected, "\(step.name) at \(position)", sourceLocation: sourceLocation)
            }
        }
    }

    /// The bytes of steps by their names.
    private func whole(_ steps: Step...) -> [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: steps.map { ($0.name, $0.bytes) })
    }

    @Test("delivered: the command is forwarded, and nothing after it")
    func delivered() {
        expect(Self.command, at: .delivered, forwarded: whole(Self.deliver), reached: "deliver")
    }

    @Test("transaction open: PostgreSQL gets the statements and a Flush, but no COMMIT, and must have executed them")
    func transactionOpen() {
        let answers = Step("answers", .database, .server, Self.answers)
        var forwarded = whole(Self.deliver)
        forwarded["transaction"] = Self.prepare + DatabaseConnection.flush
        forwarded["answers"] = Self.answersBeforeLast
        expect(
            [Self.deliver, Self.transaction, answers, Self.reply, Self.ack], at: .transactionOpen,
            forwarded: forwarded, reached: "answers")
    }

    @Test("transaction open: a COMMIT that is sent after all answers have arrived is held")
    func transactionOpenLater() {
        let statements = Step("statements", .database, .client, Self.prepare + PostgresBytes.sync)
        let answers = Step("answers", .database, .server, Self.answers + PostgresBytes.ready)
        let commit = Step("commit", .database, .client, PostgresBytes.run("s4") + PostgresBytes.sync)
        expect(
            [Self.deliver, statements, answers, commit], at: .transactionOpen,
            forwarded: whole(Self.deliver, statements, answers), reached: "commit")
    }

    @Test("transaction open: a transaction with a failed statement is not open, and its COMMIT stays held")
    func transactionFailed() {
        let failed = Step(
            "failed", .database, .server, PostgresBytes.parsed + PostgresBytes.ran("BEGIN") + PostgresBytes.failed)
        var forwarded = whole(Self.deliver, failed)
        forwarded["transaction"] = Self.prepare + DatabaseConnection.flush
        expect([Self.deliver, Self.transaction, failed], at: .transactionOpen, forwarded: forwarded, reached: nil)
    }

    @Test("committed: the server's answer to COMMIT is held")
    func committed() {
        var forwarded = whole(Self.deliver, Self.transaction)
        forwarded["committed"] = Self.beforeCommitAnswer
        expect(Self.command, at: .committed, forwarded: forwarded, reached: "committed")
    }

    @Test("committed: simple queries are recognized, too")
    func simpleQueries() {
        let queries = ["begin", "INSERT INTO inbox VALUES (1)", "commit;"]
        let sent = Step("sent", .database, .client, queries.flatMap { PostgresBytes.query($0) })
        let before =
            PostgresBytes.completed("BEGIN") + PostgresBytes.ready + PostgresBytes.completed("INSERT 0 1")
            + PostgresBytes.ready
        let answers = Step("answers", .database, .server, before + PostgresBytes.completed("COMMIT"))
        var forwarded = whole(Self.deliver, sent)
        forwarded["answers"] = before
        expect([Self.deliver, sent, answers], at: .committed, forwarded: forwarded, reached: "answers")
    }

    @Test("committed: a COMMIT that PostgreSQL answers with ROLLBACK does not count")
    func rolledBack() {
        let answer = Step(
            "rolled back", .database, .server, Self.beforeCommitAnswer + PostgresBytes.completed("ROLLBACK"))
        expect(
            [Self.deliver, Self.transaction, answer], at: .committed,
            forwarded: whole(Self.deliver, Self.transaction, answer), reached: nil)
    }

    @Test("committed: an error of an earlier transaction does not end the current one")
    func earlierError() {
        let earlier = Step(
            "earlier", .database, .client,
            PostgresBytes.parse("s0", "BEGIN") + PostgresBytes.run("s0") + PostgresBytes.sync)
        // The error arrives after the next transaction was begun, and before its COMMIT.
        let statements = Step("statements", .database, .client, Self.prepare)
        let error = Step("error", .database, .server, PostgresBytes.failed + PostgresBytes.ready)
        let commit = Step("commit", .database, .client, PostgresBytes.run("s4") + PostgresBytes.sync)
        var forwarded = whole(Self.deliver, earlier, statements, error, commit)
        forwarded["committed"] = Self.beforeCommitAnswer
        expect(
            [Self.deliver, earlier, statements, error, commit, Self.committed], at: .committed,
            forwarded: forwarded, reached: "committed")
    }

    @Test("event published: the broker's confirm is held")
    func eventPublished() {
        expect(
            Self.command, at: .eventPublished,
            forwarded: whole(Self.deliver, Self.transaction, Self.committed, Self.reply, Self.ack, Self.event),
            reached: "confirm")
    }

    @Test("event published: an event that the broker refuses, and a later confirm of others, do not count")
    func eventRefused() {
        let refused = Step("refused", .publisher, .server, AMQPBytes.nack(1, channel: 2))
        let retry = Step(
            "retry", .publisher, .client, AMQPBytes.publish(ExchangeName.retry, "1s.post.commands", channel: 2))
        let confirm = Step("confirm", .publisher, .server, AMQPBytes.ack(2, isMultiple: true, channel: 2))
        let steps = [Self.deliver, Self.transaction, Self.committed, Self.event, refused, retry, confirm]
        expect(
            steps, at: .eventPublished,
            forwarded: whole(
                Self.deliver, Self.transaction, Self.committed, Self.event, refused, retry, confirm), reached: nil)
    }

    @Test("event published: a confirm with tag 0 confirms all events")
    func confirmsAll() {
        let all = Step("all", .publisher, .server, AMQPBytes.ack(0, isMultiple: true, channel: 2))
        let steps = [Self.deliver, Self.transaction, Self.committed, Self.event, all]
        expect(
            steps, at: .eventPublished,
            forwarded: whole(Self.deliver, Self.transaction, Self.committed, Self.event), reached: "all")
    }

    @Test(
        "event published: a channel that is opened again, or selects confirms again, forgets its events",
        arguments: [AMQPBytes.openChannel(2), AMQPBytes.method(MethodID.confirmSelect, channel: 2)])
    func reopened(again: [UInt8]) {
        let reopen = Step("reopen", .publisher, .client, again)
        let retry = Step(
            "retry", .publisher, .client, AMQPBytes.publish(ExchangeName.retry, "1s.post.commands", channel: 2))
        let steps = [Self.deliver, Self.transaction, Self.committed, Self.event, reopen, retry, Self.confirm]
        expect(
            steps, at: .eventPublished,
            forwarded: Dictionary(uniqueKeysWithValues: steps.map { ($0.name, $0.bytes) }), reached: nil)
    }

    @Test("event published: an event that was published before the commit of the command does not count")
    func earlierEvent() {
        expect(
            [Self.deliver, Self.event, Self.transaction, Self.committed, Self.confirm], at: .eventPublished,
            forwarded: whole(Self.deliver, Self.event, Self.transaction, Self.committed, Self.confirm), reached: nil)
    }

    @Test("replied: the reply is forwarded, and the acknowledgement after it is held")
    func replied() {
        expect(
            Self.command, at: .replied,
            forwarded: whole(Self.deliver, Self.transaction, Self.committed, Self.reply), reached: "reply")
    }

    @Test("replied: an acknowledgement that arrives before the reply is held, too")
    func acknowledgementFirst() {
        let steps = [Self.deliver, Self.transaction, Self.committed, Self.ack, Self.reply]
        expect(
            steps, at: .replied,
            forwarded: whole(Self.deliver, Self.transaction, Self.committed, Self.reply), reached: "reply")
    }

    @Test("replied: the reply to a query does not count, and acknowledgements of other deliveries are forwarded")
    func otherReply() {
        let query = Step(
            "query", .consumer, .server, AMQPBytes.deliver(ExchangeName.commands, "post.get", tag: 2, id: "id-2"))
        let reply = Step(
            "reply to the query", .publisher, .client, AMQPBytes.publish(ExchangeName.replies, "ingress", id: "id-2"))
        let ack = Step("ack of the query", .consumer, .client, AMQPBytes.ack(2))
        let steps = [Self.deliver, query, reply, ack, Self.reply, Self.ack]
        expect(
            steps, at: .replied, forwarded: whole(Self.deliver, query, reply, ack, Self.reply), reached: "reply")
    }

    @Test("an acknowledgement that arrives before its reply is forwarded after the reply, also that of a query")
    func acknowledgementWaits() {
        let query = Step(
            "query", .consumer, .server, AMQPBytes.deliver(ExchangeName.commands, "post.get", tag: 2, id: "id-2"))
        let ack = Step("ack of the query", .consumer, .client, AMQPBytes.ack(2))
        let reply = Step(
            "reply to the query", .publisher, .client, AMQPBytes.publish(ExchangeName.replies, "ingress", id: "id-2"))
        let heartbeat = Step("heartbeat", .consumer, .client, AMQPBytes.heartbeat)
        var forwarded = whole(query, reply)
        forwarded["heartbeat"] = ack.bytes + heartbeat.bytes
        expect([query, ack, reply, heartbeat], at: .committed, forwarded: forwarded, reached: nil)
        expect([query, ack, heartbeat], at: .committed, forwarded: whole(query), reached: nil)
    }

    @Test("a request that expects no reply is acknowledged without one")
    func expectsNoReply() {
        let bytes = AMQPBytes.deliver(ExchangeName.commands, "post.create", tag: 1)
        let command = Step("command", .consumer, .server, bytes)
        expect([command, Self.ack], at: .committed, forwarded: whole(command, Self.ack), reached: nil)
    }

    @Test("replied: the delivery of a command that will be retried is acknowledged")
    func retried() {
        let retry = Step(
            "retry", .publisher, .client, AMQPBytes.publish(ExchangeName.retry, "1s.post.commands", id: "id-1"))
        expect(
            [Self.deliver, retry, Self.ack], at: .replied, forwarded: whole(Self.deliver, retry, Self.ack),
            reached: nil)
    }

    @Test(
        "replied: a delivery that the worker refuses is forgotten",
        arguments: [
            AMQPBytes.reject(1), AMQPBytes.nack(1), AMQPBytes.nack(0, isMultiple: true),
        ])
    func refused(bytes: [UInt8]) {
        let refusal = Step("refusal", .consumer, .client, bytes)
        // The tag covers the refused delivery, too, which no longer counts.
        let ack = Step("ack of others", .consumer, .client, AMQPBytes.ack(1, isMultiple: true))
        expect(
            [Self.deliver, refusal, ack], at: .replied, forwarded: whole(Self.deliver, refusal, ack), reached: nil)
    }

    @Test(
        "replied: an acknowledgement of several deliveries is held if one of them has no reply yet",
        arguments: [
            AMQPBytes.ack(2, isMultiple: true), AMQPBytes.ack(0, isMultiple: true),
        ])
    func acknowledgesSeveral(bytes: [UInt8]) {
        let query = Step(
            "query", .consumer, .server, AMQPBytes.deliver(ExchangeName.commands, "post.get", tag: 2, id: "id-2"))
        let acks = Step("acks", .consumer, .client, bytes)
        expect(
            [Self.deliver, query, acks, Self.reply], at: .replied,
            forwarded: whole(Self.deliver, query, Self.reply), reached: "reply")
    }

    @Test("replied: after the channel was opened again, its tags are those of other deliveries")
    func reopenedConsumer() {
        let reopen = Step("reopen", .consumer, .client, AMQPBytes.openChannel(1))
        let query = Step(
            "query", .consumer, .server, AMQPBytes.deliver(ExchangeName.commands, "post.get", tag: 1, id: "id-2"))
        let reply = Step(
            "reply to the query", .publisher, .client, AMQPBytes.publish(ExchangeName.replies, "ingress", id: "id-2"))
        expect(
            [Self.deliver, reopen, query, reply, Self.ack], at: .replied,
            forwarded: whole(Self.deliver, reopen, query, reply, Self.ack), reached: nil)
    }

    @Test("without a delivery of the message type, no kill point is reached", arguments: KillPoint.allCases)
    func unarmed(point: KillPoint) {
        let other = Step(
            "other", .consumer, .server, AMQPBytes.deliver(ExchangeName.commands, "post.delete", tag: 1, id: "id-1"))
        let event = Step(
            "event delivery", .consumer, .server, AMQPBytes.deliver(ExchangeName.events, "post.create", tag: 2))
        let steps = [other, event] + Self.command.dropFirst()
        expect(
            steps, at: point, forwarded: Dictionary(uniqueKeysWithValues: steps.map { ($0.name, $0.bytes) }),
            reached: nil)
    }

    @Test(
        "transactions and statements without an inbox row do not count",
        arguments: [KillPoint.transactionOpen, .committed])
    func otherTransactions(point: KillPoint) {
        let sent = Step(
            "sent", .database, .client,
            PostgresBytes.parse("s1", "BEGIN") + PostgresBytes.run("s1")
                + PostgresBytes.parse("s2", "DELETE FROM outbox") + PostgresBytes.run("s2")
                + PostgresBytes.parse("s4", "COMMIT") + PostgresBytes.run("s4") + PostgresBytes.sync
                + PostgresBytes.parse("s3", "INSERT INTO inbox (id) VALUES ($1)") + PostgresBytes.run("s3")
                + PostgresBytes.sync)
        let answers = Step(
            "answers", .database, .server,
            PostgresBytes.ran("BEGIN") + PostgresBytes.ran("DELETE 1") + PostgresBytes.ran("COMMIT")
                + PostgresBytes.ready + PostgresBytes.ran("INSERT 0 1") + PostgresBytes.ready)
        expect([Self.deliver, sent, answers], at: point, forwarded: whole(Self.deliver, sent, answers), reached: nil)
    }

    @Test("without a message type, each request counts")
    func anyType() {
        let query = Step(
            "query", .consumer, .server, AMQPBytes.deliver(ExchangeName.commands, "post.get", tag: 1, id: "id-1"))
        #expect(TappedWorker(.delivered, of: nil).perform([query]).reached == ["query"])
    }

    @Test("the kill points depend on the exchanges of the contract")
    func exchanges() {
        #expect(ExchangeName.commands == Exchange.commands)
        #expect(ExchangeName.replies == Exchange.replies)
        #expect(ExchangeName.events == Exchange.events)
        #expect(ExchangeName.retry == Exchange.retry)
    }
}
