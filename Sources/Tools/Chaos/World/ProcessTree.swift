import FoundationEssentials
import Glibc

/// The kernel's table of processes (proc(5)).
enum ProcessTree {
    /// Returns the pids of the children of a process.
    static func children(of parent: pid_t) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { pid in
            guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let end = stat.lastIndex(of: ")")
            else { return false }
            // After the name in parentheses: the state, then the parent.
            return stat[stat.index(after: end)...].split(separator: " ").dropFirst().first == "\(parent)"
        }
    }

    /// Returns the resident memory of a process, in bytes; 0 if it has ended.
    static func memory(of pid: pid_t) -> Int {
        let fields = (try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8))?.split(separator: " ")
        return (fields?.dropFirst().first.flatMap { Int($0) } ?? 0) * Int(getpagesize())
    }

    /// Whether a process has loaded a library.
    static func hasLoaded(_ library: String, _ pid: pid_t) -> Bool {
        (try? String(contentsOfFile: "/proc/\(pid)/maps", encoding: .utf8))?.contains(library) == true
    }
}
