internal import Glibc

/// How many descriptors the process may have open (getrlimit(2)).
enum DescriptorLimit {
    /// For the broker, Redis, log, event loops and the connections accepted in one go.
    private static let reserve = 96

    /// Raises the limit as far as the process may, and fits a number of connections into it.
    static func fit(connections: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return connections }
        let wanted = min(limit.rlim_max, rlim_t(connections + reserve))
        if limit.rlim_cur < wanted {
            var raised = limit
            raised.rlim_cur = wanted
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return max(1, min(connections, Int(clamping: limit.rlim_cur) - reserve))
    }
}
