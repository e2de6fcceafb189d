import FoundationEssentials
import Glibc
import LocalStack

/// The sizes of all logs of a stack at one moment. Only what was appended since is read, because the older lines can be
/// many megabytes.
struct LogEnds {
    private let folder: String
    /// The sizes in bytes by the name of the log.
    private let sizes: [String: Int]

    init(of stack: Stack) throws {
        let folder = "\(stack.state)/log"
        self.folder = folder
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        sizes = names.reduce(into: [:]) { sizes, name in
            var status = stat()
            if stat("\(folder)/\(name)", &status) == 0 { sizes[name] = status.st_size }
        }
    }

    /// Returns the lines that were appended to a log.
    ///
    /// - Parameter name: the name of the process, such as `post-1`.
    func newLines(of name: String) throws -> [Substring] {
        guard let file = fopen("\(folder)/\(name).log", "r") else { throw ChaosError("there is no log of \(name)") }
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        let (size, end) = (ftell(file), sizes["\(name).log"] ?? 0)
        // A log that is shorter than before was rotated, so all its lines are new.
        let start = end <= size ? end : 0
        fseek(file, start, SEEK_SET)
        let bytes = [UInt8](unsafeUninitializedCapacity: size - start) { buffer, count in
            count = fread(buffer.baseAddress, 1, buffer.count, file)
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}
