/// The fields of `/proc/PID/stat` (proc(5)) from which the CPU time of a process and of its descendants is computed.
package struct ProcStat: Sendable, Hashable {
    package let parent: Int
    /// The CPU time of the process in clock ticks: in user mode and in the kernel, and that of its children that have
    /// ended and were waited for.
    package let ticks: Int

    /// Returns `nil` if the text is malformed.
    package init?(_ text: String) {
        // The second field is the program's name in parentheses, which can contain spaces and parentheses.
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
        guard fields.count > 14, let parent = Int(fields[1]) else { return nil }
        let times = fields[11...14].compactMap { Int($0) }
        guard times.count == 4 else { return nil }
        self.parent = parent
        ticks = times.reduce(0, +)
    }
}

/// The resident memory of a process, from `/proc/PID/status`, in bytes.
package struct ResidentMemory: Sendable, Hashable {
    /// Memory of the process alone.
    package let anonymous: Int
    /// Pages of files, such as programs and libraries.
    package let files: Int
    /// Shared memory.
    package let shared: Int

    /// Returns `nil` if the text has not all of the fields, for example because the process has ended.
    package init?(_ text: String) {
        var values: [Substring: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.count == 3, words[2] == "kB", let kilobytes = Int(words[1]) { values[words[0]] = kilobytes * 1024 }
        }
        guard let anonymous = values["RssAnon:"], let files = values["RssFile:"], let shared = values["RssShmem:"]
        else { return nil }
        (self.anonymous, self.files, self.shared) = (anonymous, files, shared)
    }

    /// Returns the memory of a process and its descendants. They share most pages of files and all shared memory, so
    /// only the largest part of each kind is counted.
    package static func total(_ processes: [ResidentMemory]) -> Int {
        processes.map(\.anonymous).reduce(0, +) + (processes.map(\.files).max() ?? 0)
            + (processes.map(\.shared).max() ?? 0)
    }
}

/// The CPU time and memory that the processes of one name have used.
package struct ProcessUse: Sendable, Hashable {
    /// CPU time in microseconds since the start of the processes.
    package var microseconds: Int
    /// Resident memory in bytes.
    package var memory: Int

    package init(microseconds: Int, memory: Int) {
        (self.microseconds, self.memory) = (microseconds, memory)
    }
}
