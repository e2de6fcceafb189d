internal import Glibc

/// Runs a blocking call on a thread of its own.
///
/// The pool behind `@concurrent` has only as many threads as the machine has cores, and a task that prefers the loop as
/// its executor does not leave it at all. A server or name server that does not answer would block either for seconds.
///
/// - Returns: `nil` if no thread could be created or the task is cancelled first. After a cancellation the call
///   continues, and its result is discarded.
@Loop package func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
    let waiter = Waiter<Value>()
    let call = Unmanaged.passRetained(
        ThreadCall {
            let value = body()
            Loop.perform { waiter.resume(returning: value) }
        })
    var thread = pthread_t()
    guard pthread_create(&thread, nil, runThreadCall, call.toOpaque()) == 0 else {
        call.release()
        return nil
    }
    pthread_detach(thread)
    return await waiter.wait()
}

/// The closure that the new thread runs.
private final class ThreadCall: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

private func runThreadCall(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<ThreadCall>.fromOpaque(argument).takeRetainedValue().body()
    return nil
}
