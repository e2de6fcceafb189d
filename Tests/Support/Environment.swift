import Foundation

/// The addresses of the real servers the tests run against, as `compose/local` exports them.
public enum TestEnvironment {
    /// A variable is missing: the servers were not started.
    public struct Missing: Error, CustomStringConvertible {
        let name: String

        /// What is missing and how to get it.
        public var description: String {
            "\(name) is not set; run `compose/local test`, or start the servers and eval their environment"
        }
    }

    /// The value of a variable.
    ///
    /// - Throws: ``Missing`` where it is not set: a test without its server fails, it does not skip.
    public static func value(_ name: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else { throw Missing(name: name) }
        return value
    }

    /// An address with its port replaced by that of a proxy, and the port it had.
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
