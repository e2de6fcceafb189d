/// The text of a server's address, such as `amqp://user:password@127.0.0.1:5672/warren`.
package enum AddressText {
    /// The address has no such port.
    package struct MissingPort: Error, Equatable, CustomStringConvertible {
        package let port: Int

        package var description: String { "the address does not have the port \(port)" }
    }

    /// Replaces ports in an address. Each port must occur.
    ///
    /// - Parameter ports: the new port for each old one.
    /// - Throws: ``MissingPort`` for the lowest port that the address does not have.
    package static func replacingPorts(_ ports: [Int: Int], in address: String) throws(MissingPort) -> String {
        var result = ""
        var missing = Set(ports.keys)
        for (index, part) in address.split(separator: ":", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { result += ":" }
            let digits = part.prefix { $0.isNumber }
            let rest = part.dropFirst(digits.count)
            // A password can also follow a colon. It ends with an at sign.
            let isPort = index > 0 && (rest.first.map { "/,?".contains($0) } ?? true)
            if isPort, let port = Int(digits), let replacement = ports[port] {
                missing.remove(port)
                result += "\(replacement)\(rest)"
            } else {
                result += part
            }
        }
        if let port = missing.min() { throw MissingPort(port: port) }
        return result
    }
}
