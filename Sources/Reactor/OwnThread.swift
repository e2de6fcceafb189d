internal import Glibc

/// Runs a blocking call on a thread of its own.
///
/// A `@concurrent` function is not suitable for such a call, because the call may wait for seconds for a server that
/// does not answer. The function would occupy a thread of Swift's global pool, which has only as many threads as the
/// machine has cores. In a task that prefers the loop as its executor, the function would run on the loop and block it.
///
/// - Returns: the result of the call, or `nil` if no thread can be created or the task is cancelled before the call
///   ends. After a cancellation the call continues on its thread, and its result is discarded.
@Loop package func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
    let waiter = Waiter<Value>()
    do throws(SystemError) {
        try startDetachedThread {
            let value = body()
            Loop.perform { waiter.resume(returning: value) }
        }
    } catch {
        return nil
    }
    return await waiter.wait()
}

/// Starts a thread that runs a closure, for example a loop of blocking calls. Nothing waits for the end of the thread.
///
/// - Throws: ``SystemError`` if pthread_create(3) fails.
package func startDetachedThread(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
    pthread_detach(try startThread(body))
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

/// The closure of a new thread, in an object to which the argument of pthread_create(3) can point.
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
