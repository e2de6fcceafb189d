internal import Glibc

/// The limit on open file descriptors of the process (getrlimit(2)).
enum DescriptorLimit {
    /// The number of descriptors that are kept free for the broker, Redis, the log, the event loops, and connections in
    /// addition to the limit.
    private static let reserved = 64 + HTTPServer.additionalConnections

    /// Raises the soft limit as far as necessary and permitted.
    ///
    /// - Parameter connections: the wanted number of connections.
    /// - Returns: the number of connections that the limit allows, at most `connections`.
    static func fit(connections: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return connections }
        let wanted = min(limit.rlim_max, rlim_t(connections + reserved))
        if limit.rlim_cur < wanted {
            var raised = limit
            raised.rlim_cur = wanted
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return max(1, min(connections, Int(clamping: limit.rlim_cur) - reserved))
    }
}
