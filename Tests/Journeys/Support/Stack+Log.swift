import Contracts
import Foundation

extension Stack {
    /// The lines that a service's processes logged and that contain a text, such as a request's id.
    ///
    /// - Parameters:
    ///   - name: a service, for all its processes, or one process such as `post-2`.
    ///   - text: what the lines contain.
    func log(_ name: String, about text: String) throws -> [JSON] {
        let needle = Data(text.utf8)
        return try logFiles(name).flatMap { file in
            try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).filter { $0.range(of: needle) != nil }
                .map { try JSON.parse(Array($0)) }
        }
    }

    /// The lines in which workers say that they handled a request.
    func handled(_ name: String, _ requestID: String) throws -> [JSON] {
        try log(name, about: requestID).filter {
            $0["message"]?.string == "handled" && $0["request-id"]?.string == requestID
        }
    }

    /// The whole log of a service's processes, as bytes.
    func wholeLog(_ service: String) throws -> [UInt8] {
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
