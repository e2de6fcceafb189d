import FoundationEssentials
import Glibc

/// The kernel's table of processes (proc(5)).
enum ProcessFiles {
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

    /// Returns the path of the file that is the standard error of a process.
    static func errors(of pid: pid_t) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/2")
    }

    /// Whether a process has loaded a library.
    static func hasLoaded(_ library: String, _ pid: pid_t) -> Bool {
        // Foundation reads only a part of this file, because the kernel gives it a size of 0.
        guard let file = fopen("/proc/\(pid)/maps", "r") else { return false }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4_096)
        while fgets(&line, Int32(line.count), file) != nil {
            if strstr(line, library) != nil { return true }
        }
        return false
    }
}
