import Foundation

/// The addresses of the servers that the tests use, as `compose/local` exports them.
public enum TestEnvironment {
    /// A variable is not set, because the servers were not started.
    public struct Missing: Error, CustomStringConvertible {
        let name: String

        /// Names the variable and the command that starts the servers.
        public var description: String {
            "\(name) is not set; run `compose/local test`, or start the servers and eval their environment"
        }
    }

    /// Returns the value of a variable.
    ///
    /// - Throws: ``Missing`` if it is not set: a test without its server fails and is not skipped.
    public static func value(_ name: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else { throw Missing(name: name) }
        return value
    }

    /// Returns an address with the port of a proxy, and the proxy.
    public static func redirect(_ name: String, defaultPort: Int, to proxy: (Int) throws -> FaultProxy) throws -> (
        url: String, proxy: FaultProxy
    ) {
        let text = try value(name)
        guard var parts = URLComponents(string: text) else { throw Missing(name: name) }
        let between = try proxy(parts.port ?? defaultPort)
        parts.port = between.port
        parts.host = "127.0.0.1"
        return (parts.string ?? text, between)
    }
}
