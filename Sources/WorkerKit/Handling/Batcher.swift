internal import Reactor

/// Carries out the messages of one type in batches, with one transaction for each batch.
///
/// One batch runs at a time. The messages that arrive while it runs form the next batch. Therefore a busy worker needs
/// few transactions, and an idle worker does not delay messages. If a batch fails, each of its messages is carried out
/// again in a batch of its own, so that a failing message does not fail the others.
///
/// A batcher with a gathering time delays each batch until it is full or this time is over, so that more messages join.
@Loop final class Batcher<Body: Sendable> {
    /// Carries out a batch. Returns a reply for each member, in the order of the members; `nil` for an event.
    typealias Handle = @Loop @Sendable (Batch<Body>) async throws -> [Reply?]

    private let kind: Handler.Kind
    private let handle: Handle
    private let limit: Int
    private let gatheringTime: Duration
    private lazy var queue = BatchQueue<Entry>(limit: limit)
    /// Fires when the gathering batch is full; `nil` if no batch gathers.
    private var nextIsFull: Signal?

    /// A message, and the waiter of the task that needs its result.
    private struct Entry {
        let body: Body
        let message: IncomingMessage
        let environment: HandlerEnvironment
        let waiter = Waiter<Resumption>()
    }

    /// How the task of a waiting message continues.
    private enum Resumption: Sendable {
        /// The task must run the next batch, which begins with the task's own message.
        case lead
        /// Another task has carried out the message, with this result.
        case ended(Attempt<Reply?>)
    }

    /// - Parameters:
    ///   - limit: the maximum number of messages in a batch, at least 1.
    ///   - gatheringTime: how long a batch waits for further messages before it starts.
    ///   - handle: carries out a batch.
    nonisolated init(
        kind: Handler.Kind, limit: Int = 64, gatheringTime: Duration = .zero, _ handle: @escaping Handle
    ) {
        self.kind = kind
        self.gatheringTime = gatheringTime
        self.handle = handle
        self.limit = limit
    }

    /// Carries out a message in a batch.
    func carryOut(
        _ body: Body, _ message: IncomingMessage, _ environment: HandlerEnvironment
    ) async -> Attempt<Reply?> {
        let entry = Entry(body: body, message: message, environment: environment)
        if queue.add(entry) {
            // After the yield, the messages that arrive in the same turn of the loop are in the queue and join the
            // batch.
            await Task.yield()
        } else {
            if queue.isNextBatchFull { nextIsFull?.fire() }
            if case .ended(let attempt) = await entry.waiter.waitThroughCancellation() { return attempt }
        }
        return await lead(entry)
    }

    /// Runs a batch that begins with this task's own message. Then resumes the task that runs the next batch.
    private func lead(_ own: Entry) async -> Attempt<Reply?> {
        await gather()
        let entries = [own] + queue.takeOthers()
        defer { queue.finish()?.waiter.resume(returning: .lead) }
        let attempt = await run(entries)
        if case .committed(let replies) = attempt {
            for (entry, reply) in zip(entries, replies).dropFirst() {
                entry.waiter.resume(returning: .ended(.committed(reply)))
            }
        } else if entries.count > 1 {
            return await runOneByOne(entries)
        }
        return attempt.map { $0[0] }
    }

    /// Waits until the next batch is full or the gathering time is over.
    private func gather() async {
        guard gatheringTime > .zero, !queue.isNextBatchFull else { return }
        let isFull = Signal()
        nextIsFull = isFull
        _ = await isFull.wait(within: gatheringTime)
        nextIsFull = nil
    }

    private func run(_ entries: [Entry]) async -> Attempt<[Reply?]> {
        let unit = UnitOfWork(entries.map { $0.message }, kind: kind, entries[0].environment)
        let members = entries.map { Batch<Body>.Member(body: $0.body, context: unit.context(of: $0.message)) }
        return await unit.run { try await handle(Batch(members: members, unit: unit)) }
    }

    private func runOneByOne(_ entries: [Entry]) async -> Attempt<Reply?> {
        await withDiscardingTaskGroup { group in
            for entry in entries.dropFirst() {
                group.addTask {
                    let attempt = await self.run([entry])
                    await entry.waiter.resume(returning: .ended(attempt.map { $0[0] }))
                }
            }
            return await run([entries[0]]).map { $0[0] }
        }
    }
}
