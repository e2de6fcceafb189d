internal import Reactor

extension BlockingConnection {
    /// Connects and logs in on a new thread, and runs a closure on that thread.
    ///
    /// - Parameters:
    ///   - address: returns the broker's address. Called on the new thread, because the address may be in a file.
    ///   - last: the host that is tried last if the address has several.
    ///   - name: the connection's name, as the broker shows it.
    ///   - interrupter: can end the attempt early.
    ///   - body: prepares the connection with blocking calls.
    /// - Returns: the connection and the closure's result.
    static func connect<Value: Sendable>(
        to address: @escaping @Sendable () throws -> BrokerAddress, avoiding last: BrokerAddress.Host? = nil,
        name: String,
        interrupter: SocketInterrupter = SocketInterrupter(),
        _ body: @escaping @Sendable (BlockingConnection) throws(AMQPError) -> Value
    ) async throws(AMQPError) -> (AMQPHandle, Value) {
        let resolver = HostName.resolver
        let result = await onOwnThread { () -> Result<Prepared<Value>, AMQPError> in
            do throws(AMQPError) {
                let connection = try BlockingConnection(
                    address: try read(address), avoiding: last, resolver: resolver, name: name,
                    interrupter: interrupter)
                // The handle closes the socket, so the interrupter must be disarmed before the handle is released.
                defer { withExtendedLifetime(connection) { interrupter.disarm() } }
                return .success(Prepared(handle: connection.handle, value: try body(connection)))
            } catch {
                return .failure(error)
            }
        }
        guard let result else {
            // The thread may still run. Its calls are ended, because its result is discarded.
            interrupter.interrupt()
            throw AMQPError(.lost, Task.isCancelled ? "the task was cancelled" : "cannot create a thread to connect")
        }
        let prepared = try result.get()
        return (prepared.handle, prepared.value)
    }

    private static func read(_ address: () throws -> BrokerAddress) throws(AMQPError) -> BrokerAddress {
        do {
            return try address()
        } catch {
            throw AMQPError(.address, "\(error)")
        }
    }

    private struct Prepared<Value: Sendable>: Sendable {
        let handle: AMQPHandle
        let value: Value
    }
}
