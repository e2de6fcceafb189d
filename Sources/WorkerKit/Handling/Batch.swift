package import Postgres
package import Reactor

/// Messages of one type that are carried out together, in one transaction.
@Loop package struct Batch<Body: Sendable> {
    /// One message of a batch.
    @Loop package struct Member {
        /// The message's decoded body.
        package let body: Body
        /// Who asks, and the way to publish events; its transaction is the batch's.
        package let context: HandlerContext
    }

    /// The messages, at least one, in the order they came.
    package let members: [Member]

    /// The one transaction of all of them; committed by the kit.
    ///
    /// - Throws: `PostgresError` where no connection comes free in time.
    package func transaction() async throws(PostgresError) -> Transaction {
        let first = try await members[0].context.transaction()
        for member in members.dropFirst() { member.context.work.join(first) }
        return first
    }
}
