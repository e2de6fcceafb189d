internal import Glibc

/// Runs a call that blocks on a thread of its own.
///
/// The pool behind `@concurrent` has as few threads as the machine has cores: a broker that does not answer would
/// keep them from everything else for seconds.
func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
    await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
        let call = Unmanaged.passRetained(ThreadCall { continuation.resume(returning: body()) })
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, runThreadCall, call.toOpaque())
        guard code == 0 else {
            call.release()
            return continuation.resume(returning: nil)
        }
        pthread_detach(thread)
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
