internal import Reactor

/// Gathers the messages of one type that are in hand at the same time into batches, each carried out in one transaction.
///
/// One batch is under way at a time: what comes meanwhile makes up the next one, so that a busy worker begins and commits
/// seldom and an idle one makes nobody wait. A batch that fails is carried out anew message by message, so that one
/// message's failure is nobody else's.
@Loop final class Batcher<Body: Sendable> {
    /// Carries out a batch: a reply for each member, in their order; nothing for events.
    typealias Work = @Loop @Sendable (Batch<Body>) async throws -> [Reply?]

    private static var size: Int { 64 }

    private let work: Work
    private var isLed = false
    private var waiting: [Seat] = []

    nonisolated init(_ work: @escaping Work) {
        self.work = work
    }

    /// A message's place in a batch, and what becomes of it.
    @Loop private final class Seat {
        let member: Batch<Body>.Member
        private(set) var result: Result<Reply?, any Error>?
        private var isWoken = false
        private var continuation: CheckedContinuation<Void, Never>?

        init(_ member: Batch<Body>.Member) {
            self.member = member
        }

        func finish(_ result: Result<Reply?, any Error>) {
            self.result = result
            wake()
        }

        func wake() {
            isWoken = true
            continuation?.resume()
            continuation = nil
        }

        /// Waits until it is finished, or told to lead; either may have come before there was anyone to wake.
        func wait() async {
            await withCheckedContinuation { continuation in
                if isWoken { continuation.resume() } else { self.continuation = continuation }
            }
        }
    }

    /// Carries a message out with others, and commits it with them.
    ///
    /// - Returns: its reply.
    /// - Throws: what it failed with when it was carried out alone.
    func carryOut(_ body: Body, _ context: HandlerContext) async throws -> Reply? {
        let seat = Seat(Batch.Member(body: body, context: context))
        if !isLed {
            isLed = true
            // Those that came in the same turn of the loop get their places first.
            await Task.yield()
        } else {
            waiting.append(seat)
            await seat.wait()
        }
        if seat.result == nil { await lead(seat) }
        guard let result = seat.result else { return nil }
        return try result.get()
    }

    /// Carries out a batch that begins with its own message, and hands the lead on.
    private func lead(_ seat: Seat) async {
        let seats = [seat] + waiting.prefix(Self.size - 1)
        waiting.removeFirst(seats.count - 1)
        do {
            try await carryOut(seats)
        } catch  where seats.count == 1 {
            seat.finish(.failure(error))
        } catch {
            await carryOutOneByOne(seats)
        }
        if waiting.isEmpty {
            isLed = false
        } else {
            waiting.removeFirst().wake()
        }
    }

    private func carryOut(_ seats: [Seat]) async throws {
        let batch = Batch(members: seats.map { $0.member })
        let works = seats.map { $0.member.context.work }
        do {
            let replies = try await work(batch)
            guard replies.count == seats.count else { throw WrongNumberOfReplies() }
            try await UnitOfWork.commit(zip(works, replies).map { ($0, $1) })
            for (seat, reply) in zip(seats, replies) { seat.finish(.success(reply)) }
        } catch {
            for work in works { work.abandon() }
            throw error
        }
    }

    private func carryOutOneByOne(_ seats: [Seat]) async {
        await withDiscardingTaskGroup { group in
            for seat in seats {
                group.addTask {
                    do {
                        try await self.carryOut([seat])
                    } catch {
                        await seat.finish(.failure(error))
                    }
                }
            }
        }
    }
}

/// A handler of batches has returned more or fewer replies than there were messages.
struct WrongNumberOfReplies: Error {}
