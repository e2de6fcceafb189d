package import Postgres
package import Reactor

/// Messages of one type that are carried out together, in one transaction.
@Loop package struct Batch<Body: Sendable> {
    /// One message of a batch.
    @Loop package struct Member {
        /// The message's decoded body.
        package let body: Body
        /// The message's caller and log. Its transaction is the transaction of the batch.
        package let context: HandlerContext
    }

    /// The messages, at least one, in the order of their arrival.
    package let members: [Member]
    let unit: UnitOfWork

    /// Returns the transaction of all members. The first call begins the transaction. It is committed after the handler
    /// has returned.
    ///
    /// - Throws: `PostgresError` if no connection becomes free in time.
    package func transaction() async throws(PostgresError) -> Transaction {
        try await unit.transaction()
    }
}
