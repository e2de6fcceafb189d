internal import Reactor
internal import Synchronization

/// The host names of one test, in place of the system's name resolution.
public final class HostTable: Sendable {
    private let addresses: Mutex<[String: [String]]>

    /// Makes a table of host names and their IP addresses.
    public init(_ addresses: [String: [String]]) {
        self.addresses = Mutex(addresses)
    }

    /// Changes the addresses of a host, as if its DNS record were changed.
    public func set(_ host: String, to addresses: [String]) {
        self.addresses.withLock { $0[host] = addresses }
    }

    /// Runs a body. Drivers that the body runs resolve host names with this table only.
    public func use<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async throws -> Value {
        try await HostName.$resolver.withValue({ host in self.addresses.withLock { $0[host] ?? [host] } }) {
            try await body()
        }
    }
}
