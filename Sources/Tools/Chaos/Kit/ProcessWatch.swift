/// The processes that must run, with their pids. A process that ends, although the suite has not ended it, breaks a
/// promise, even if another one has taken its place.
package struct ProcessWatch: Sendable {
    private var pids: [String: Int32] = [:]

    package init() {}

    /// Whether a process with this name must run.
    package func expects(_ name: String) -> Bool { pids[name] != nil }

    /// Notes that a process runs, and must not end.
    package mutating func expect(_ name: String, pid: Int32) { pids[name] = pid }

    /// Notes that the suite is about to end a process. Call ``expect(_:pid:)`` when its successor runs.
    ///
    /// - Parameter running: the pid of the process that has this name now; `nil` if none runs.
    /// - Returns: a finding if the process had ended before.
    package mutating func release(_ name: String, running: Int32?) -> String? {
        guard let pid = pids.removeValue(forKey: name), pid != running else { return nil }
        return Self.finding(name)
    }

    /// Returns a finding for each process that has ended. The process that has its name now is expected from now on.
    ///
    /// - Parameter running: returns the pid of the process that has a name now; `nil` if none runs.
    package mutating func takeFindings(running: (String) -> Int32?) -> [String] {
        let ended = pids.filter { running($0.key) != $0.value }.keys.sorted()
        for name in ended { pids[name] = running(name) }
        return ended.map(Self.finding)
    }

    private static func finding(_ name: String) -> String { "\(name) has exited, although no fault has ended it" }
}
