import BenchKit
import Glibc

extension Machine {
    /// The machine on which the bench runs.
    static func local(commit: String?) -> Machine {
        var system = utsname()
        uname(&system)
        let kernel = withUnsafeBytes(of: system.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let processor = ProcessTable.text("/proc/cpuinfo")?.split(separator: "\n")
            .first { $0.hasPrefix("model name") }?.split(separator: ":").last?.drop { $0 == " " }
        return Machine(
            cores: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), processor: processor.map(String.init) ?? "unknown",
            memory: Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE))), kernel: kernel,
            commit: commit)
    }
}
