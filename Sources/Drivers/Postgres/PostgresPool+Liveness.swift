internal import Reactor

// A server can stop answering while its connections stay open: its processes hang, or its network is cut off. TCP
// notices a cut network after `tcp_user_timeout`, and a hung process never, because its kernel acknowledges the data.
// To the pool, a long statement looks like a hung process. Before it closes connections, it therefore checks whether
// the server answers a new connection.
extension PostgresPool {
    private static let period: Duration = .seconds(1)
    /// The number of consecutive silent periods of a connection after which the pool checks the server.
    private static let toleratedPeriods = 2
    private static let checkLimit: Duration = .seconds(2)

    /// Closes the connections to each server that no longer answers, until the pool is closed or the task is cancelled.
    ///
    /// It does so at most 5 s after it has sent the first statement that gets no answer: three periods and one check.
    /// If a check was answered before the server hung, the 5 s begin at that check.
    func runLivenessChecks() async {
        while !(await closed.wait(within: Self.period)), !Task.isCancelled {
            for (server, connections) in Dictionary(grouping: connections.compactMap { $0 }, by: \.handle.address) {
                if await isUnresponsive(server, connections) { closeUnresponsive(server) }
            }
        }
    }

    /// Ends a period.
    ///
    /// - Parameter connections: all open connections to the server.
    /// - Returns: whether neither they nor a new connection get an answer.
    private func isUnresponsive(_ server: ServerAddress, _ connections: [PostgresConnection]) async -> Bool {
        let answered = connections.filter { $0.endPeriod() }
        // If one connection gets answers, the server works, and the others wait for long statements.
        guard answered.isEmpty, connections.contains(where: { $0.silentPeriods >= Self.toleratedPeriods }) else {
            return false
        }
        guard await PostgresHandle.isUnresponsive(url, server, within: Self.checkLimit, log: log) else {
            for connection in connections { connection.restartSilence() }
            return false
        }
        // A connection that was opened during the check also shows that the server answers.
        return !self.connections.contains { $0?.handle.address == server && $0?.hasReceivedInPeriod == true }
    }

    /// Closes the connections to a server, so that no statement waits for it. Counts a failed attempt to connect for
    /// each slot without a connection. The pool is then unavailable, unless it has a connection to another server.
    private func closeUnresponsive(_ server: ServerAddress) {
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
