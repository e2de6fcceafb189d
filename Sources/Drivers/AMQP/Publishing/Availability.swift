/// Whether a publisher can publish.
package enum Availability: Sendable, Equatable {
    /// There is no connection; one is being made, or will be.
    case connecting
    /// Publishes are taken.
    case available
    /// The broker takes no publishes for now, as under a memory or disk alarm (connection.blocked).
    case blocked(reason: String)
    /// The publisher was closed.
    case closed
}
