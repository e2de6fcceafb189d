internal import CPostgres
internal import Logging
internal import Reactor

// A server can stop answering while its connections stay open: its processes hang, or its network is cut off. TCP alone
// notices this only after `tcp_user_timeout`. But a statement can also take long on a server that works. If no answer
// has come for a while, the pool therefore asks the server over a new connection whether it still answers.
extension PostgresPool {
    private static let period: Duration = .seconds(1)
    /// After so many periods without an answer, the pool asks the server.
    private static let silentPeriods = 2
    private static let probeLimit: Duration = .seconds(2)

    /// Watches for a server that no longer answers, and closes the connections to it, until the pool is closed or the
    /// task is cancelled. The pool notices such a server at most three periods plus the time limit of the probe (5 s)
    /// after the first statement without an answer.
    func watchForSilence() async {
        while !(await closed.wait(within: Self.period)), !Task.isCancelled {
            for (server, connections) in Dictionary(grouping: connections.compactMap { $0 }, by: \.handle.address) {
                if await isSilent(server, connections) { serverIsSilent(server) }
            }
        }
    }

    /// Whether a server no longer answers. The connections are all those to this server.
    private func isSilent(_ server: ServerAddress, _ connections: [PostgresConnection]) async -> Bool {
        let answered = connections.filter { $0.endPeriod() }
        // If one connection gets answers, the server works, and the others wait for long statements.
        guard answered.isEmpty, connections.contains(where: { $0.silentPeriods >= Self.silentPeriods }),
            await PostgresHandle.isSilent(url, server, within: Self.probeLimit, log: log)
        else { return false }
        return !connections.contains(where: \.hasReceived)
    }

    /// Closes the connections to a server that does not answer, so that no statement waits for it. Each of them counts
    /// as a failed attempt to connect, so the pool is unavailable if it has no connection to another server.
    private func serverIsSilent(_ server: ServerAddress) {
        let error = PostgresError(.connectionLost, "the server does not answer")
        for case let connection? in connections where connection.handle.address == server {
            connection.close(failingWith: error)
        }
        for slot in connections.indices where connections[slot] == nil { state.connectFailed(slot) }
        connectError = error
        if state.availability == .unavailable { failWaiting() }
        reportAvailability()
    }
}

extension PostgresHandle {
    /// Begins to connect to a server, and waits for the first byte of its answer.
    ///
    /// - Returns: whether none has come within the time limit. A server that refuses the connection is not silent.
    @Loop fileprivate static func isSilent(
        _ url: @escaping @Sendable () throws -> String, _ server: ServerAddress, within limit: Duration, log: Logger
    ) async -> Bool {
        do {
            let deadline = ContinuousClock.now + limit
            let handle = try await start(url, server, log: log)
            var status = PGRES_POLLING_WRITING
            while status == PGRES_POLLING_WRITING {
                try await handle.waitUntilReady(for: .writable, until: deadline)
                status = try await handle.step()
            }
            if status == PGRES_POLLING_READING { try await handle.waitUntilReady(for: .readable, until: deadline) }
            return false
        } catch {
            return error.code == .deadlineExceeded
        }
    }
}
