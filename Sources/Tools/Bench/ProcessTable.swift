import BenchKit
import FoundationEssentials
import Glibc

/// Reads the CPU time and memory of the stack's processes from `/proc`.
struct ProcessTable: Sendable {
    /// The folder with a file `NAME-N.pid` for each process.
    private let runFolder: String
    private let microsecondsPerTick = 1_000_000 / max(1, Int(sysconf(Int32(_SC_CLK_TCK))))

    init(stack: Stack) {
        runFolder = stack.folder + "/run"
    }

    /// Returns the use by name. All processes of a service and all descendants of a server are added up.
    ///
    /// - Throws: ``BenchError`` if a process that the stack has started does not run.
    func read() throws -> [String: ProcessUse] {
        let stats = Self.allProcesses()
        let children = Dictionary(grouping: stats.keys) { stats[$0]?.parent ?? 0 }
        var result: [String: ProcessUse] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: runFolder) where file.hasSuffix(".pid") {
            let process = String(file.dropLast(4))
            guard let name = Self.name(of: process) else { continue }
            guard let pid = Self.text("\(runFolder)/\(file)").flatMap({ Int($0.filter(\.isNumber)) }),
                stats[pid] != nil
            else { throw BenchError("\(process) does not run; its log is in the folder log of the stack") }
            var tree: [Int] = []
            var pending = [pid]
            while let next = pending.popLast() {
                tree.append(next)
                pending += children[next] ?? []
            }
            let ticks = tree.map { stats[$0]?.ticks ?? 0 }.reduce(0, +)
            let memory = tree.compactMap { Self.text("/proc/\($0)/status").flatMap(ResidentMemory.init) }
            result[name, default: ProcessUse(microseconds: 0, memory: 0)].microseconds += ticks * microsecondsPerTick
            result[name]?.memory += ResidentMemory.total(memory)
        }
        return result
    }

    /// Returns the name under which a process is reported; `nil` if it is not.
    private static func name(of process: String) -> String? {
        let service = process.split(separator: "-").dropLast().joined(separator: "-")
        switch service {
        case "rabbitmq": return "broker"
        case "epmd", "log-rotation": return nil
        default: return service
        }
    }

    private static func allProcesses() -> [Int: ProcStat] {
        var stats: [Int: ProcStat] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = Int(name), let stat = text("/proc/\(pid)/stat").flatMap(ProcStat.init) else { continue }
            stats[pid] = stat
        }
        return stats
    }

    /// Returns the content of a small file; `nil` if it cannot be read.
    static func text(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = fread(&buffer, 1, buffer.count, file)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
