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
    do throws(SystemError) {
        pthread_detach(
            try startThread {
                let value = body()
                Loop.perform { waiter.resume(returning: value) }
            })
    } catch {
        return nil
    }
    return await waiter.wait()
}

/// Starts a thread that runs a closure and then ends.
///
/// - Returns: the thread, which the caller joins or detaches.
/// - Throws: ``SystemError`` if pthread_create(3) fails.
func startThread(_ body: @escaping @Sendable () -> Void) throws(SystemError) -> pthread_t {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(ThreadBody(run: body))
    let code = pthread_create(&thread, nil, runThreadBody, argument.toOpaque())
    guard code == 0 else {
        argument.release()
        throw SystemError(call: "pthread_create", errno: code)
    }
    return thread
}

/// The closure of a new thread, as an object that its C argument can point to.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

private func runThreadBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
