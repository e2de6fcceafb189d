internal import Glibc
internal import Synchronization

/// Runs a call that blocks on a thread of its own.
///
/// The pool behind `@concurrent` has as few threads as the machine has cores, and a task that prefers the loop does not
/// even go there: a server or a resolver that does not answer would keep everything else waiting for seconds.
///
/// - Returns: nothing where there is no thread to be had, or where the task is cancelled first; the call then goes on,
///   and nobody learns what becomes of it.
package func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
    let waiter = ThreadWaiter<Value>()
    return await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            guard waiter.begin(continuation) else { return }
            let call = Unmanaged.passRetained(ThreadCall { waiter.end(body()) })
            var thread = pthread_t()
            guard pthread_create(&thread, nil, runThreadCall, call.toOpaque()) == 0 else {
                call.release()
                return waiter.end(nil)
            }
            pthread_detach(thread)
        }
    } onCancel: {
        waiter.end(nil)
    }
}

/// The task that waits for a thread: resumed once.
private final class ThreadWaiter<Value: Sendable>: Sendable {
    private enum State {
        case idle
        case waiting(CheckedContinuation<Value?, Never>)
        case ended
    }

    private let state = Mutex(State.idle)

    /// - Returns: whether there is still something to wait for.
    func begin(_ continuation: CheckedContinuation<Value?, Never>) -> Bool {
        let isEnded = state.withLock { state in
            if case .ended = state { return true }
            state = .waiting(continuation)
            return false
        }
        if isEnded { continuation.resume(returning: nil) }
        return !isEnded
    }

    func end(_ value: Value?) {
        let continuation = state.withLock { state -> CheckedContinuation<Value?, Never>? in
            defer { state = .ended }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        continuation?.resume(returning: value)
    }
}

/// What the thread is handed.
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
