internal import Postgres

/// A server that a worker needs to carry out messages.
package struct Dependency: Hashable, Sendable, CustomStringConvertible {
    /// The name in log lines.
    package let description: String

    /// Makes a dependency.
    package init(_ name: String) {
        description = name
    }

    /// The service's database.
    package static let database = Dependency("the database")
    /// The Redis server of the service's caches. Messages can be carried out without it.
    package static let redis = Dependency("Redis")
}

/// An error that can be caused by a dependency that is not available.
package protocol DependencyError: Error {
    /// The dependency whose absence caused the error; `nil` if the message or a fault in the program can be the cause.
    var missingDependency: Dependency? { get }
}

extension PostgresError: DependencyError {
    package var missingDependency: Dependency? { isOutage ? .database : nil }
}
