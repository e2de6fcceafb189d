import Contracts
import Foundation
import LocalStack

extension Stack {
    /// Returns the log lines of a service that contain a text.
    ///
    /// - Parameters:
    ///   - name: a service, whose processes are all included, or one process such as `post-2`.
    ///   - text: a part of the lines, such as the id of a request.
    func logLines(of name: String, containing text: String) throws -> [JSON] {
        let needle = Data(text.utf8)
        return try logFiles(name).flatMap { file in
            try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).filter { $0.range(of: needle) != nil }
                .map { try JSON.parse(Array($0)) }
        }
    }

    /// Returns the lines that the workers of a service logged after they had handled a request.
    func handledLines(of name: String, _ requestID: String) throws -> [JSON] {
        try logLines(of: name, containing: requestID).filter {
            $0["message"]?.string == "handled" && $0["request-id"]?.string == requestID
        }
    }

    /// Returns the whole log of all processes of a service.
    func logBytes(of service: String) throws -> [UInt8] {
        try logFiles(service).flatMap { Array(try Data(contentsOf: $0)) }
    }

    private func logFiles(_ name: String) throws -> [URL] {
        let folder = URL(filePath: state).appending(path: "log")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).filter { file in
            let base = file.deletingPathExtension().lastPathComponent
            guard file.pathExtension == "log", base.hasPrefix(name) else { return false }
            let rest = base.dropFirst(name.count)
            return rest.isEmpty || (rest.first == "-" && Int(rest.dropFirst()) != nil)
        }
    }
}
