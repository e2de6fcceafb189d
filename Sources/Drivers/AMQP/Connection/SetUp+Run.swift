internal import Reactor

extension SetUp {
    /// Connects, logs in and does the rest of a set-up on a thread of its own.
    ///
    /// - Parameters:
    ///   - body: what else is to be done before the connection comes to the loop.
    /// - Returns: the connection and what the body made.
    static func run<Value: Sendable>(
        address: BrokerAddress, name: String, limits: Limits = Limits(), interrupter: Interrupter,
        _ body: @escaping @Sendable (SetUp) throws(BrokerError) -> Value
    ) async throws(BrokerError) -> (Handle, Value) {
        let result = await onOwnThread { () -> Result<Ready<Value>, BrokerError> in
            do throws(BrokerError) {
                let setUp = try SetUp(address: address, name: name, limits: limits, interrupter: interrupter)
                // The socket is closed with the handle, so the interrupter must let go of it first.
                defer { withExtendedLifetime(setUp) { interrupter.disarm() } }
                return .success(Ready(handle: setUp.handle, value: try body(setUp)))
            } catch {
                return .failure(error)
            }
        }
        guard let result else {
            // A thread that is no longer waited for need not go on.
            interrupter.interrupt()
            throw BrokerError(
                kind: .lost, text: Task.isCancelled ? "the task was cancelled" : "no thread to connect on")
        }
        let ready = try result.get()
        return (ready.handle, ready.value)
    }

    private struct Ready<Value: Sendable>: Sendable {
        let handle: Handle
        let value: Value
    }
}
