import FaultProxy

/// Returns a port of 127.0.0.1 on which no process listens. Another process can take it at any time.
public func freePort() throws -> Int {
    let listener = try FaultProxy(to: 1)
    defer { listener.stop() }
    return listener.port
}
