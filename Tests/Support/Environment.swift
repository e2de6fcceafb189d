package import FaultProxy
import Foundation

/// The addresses of the servers that the tests use, as `compose/local` exports them.
public enum TestEnvironment {
    /// A variable is not set, because the servers were not started.
    public struct Missing: Error, CustomStringConvertible {
        let name: String

        /// Names the variable and the command that starts the servers.
        public var description: String {
            "\(name) is not set: run `compose/local test`, or start the servers and run eval \"$(compose/local env)\""
        }
    }

    /// Returns the value of a variable.
    ///
    /// - Throws: ``Missing`` if it is not set or empty, so that a test fails if its server was not started.
    public static func value(_ name: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else { throw Missing(name: name) }
        return value
    }

    /// Starts a proxy to a server.
    ///
    /// - Parameters:
    ///   - name: the variable with the server's address.
    ///   - defaultPort: the server's port, if the address has none.
    ///   - makeProxy: starts a proxy to a port.
    /// - Returns: the server's address, but with the host and the port of the proxy; and the proxy.
    package static func redirect(_ name: String, defaultPort: Int, to makeProxy: (Int) throws -> FaultProxy) throws -> (
        url: String, proxy: FaultProxy
    ) {
        let text = try value(name)
        guard var parts = URLComponents(string: text) else { throw Missing(name: name) }
        let proxy = try makeProxy(parts.port ?? defaultPort)
        parts.port = proxy.port
        parts.host = "127.0.0.1"
        return (parts.string ?? text, proxy)
    }
}
