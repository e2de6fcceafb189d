internal import Glibc

/// The process's event loop as a global actor. Code that is isolated to `@Loop` runs on the loop's thread and needs no
/// locks.
@globalActor
package actor Loop {
    /// The actor behind `@Loop`.
    package static let shared = Loop()

    /// The process's event loop. Its thread runs until the process ends.
    package nonisolated let eventLoop: EventLoop

    private init() {
        do {
            eventLoop = try EventLoop(name: "loop")
        } catch {
            // The process exits, because no part of it works without the loop.
            let line = Array("cannot start the event loop: \(error)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            exit(EXIT_FAILURE)
        }
    }

    /// The event loop as the actor's serial executor.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        eventLoop.asUnownedSerialExecutor()
    }

    /// The event loop as a task executor. If a task prefers this executor, its nonisolated functions also run on the
    /// loop.
    package static var executor: EventLoop { shared.eventLoop }

    /// Runs a closure on the loop and returns without waiting for it. Can be called on any thread.
    ///
    /// The closures that one thread passes run in the order of its calls.
    package nonisolated static func perform(_ body: @escaping @Loop @Sendable () -> Void) {
        shared.eventLoop.perform { assumeIsolated(body) }
    }

    /// Runs a `@Loop` closure from a synchronous context that is already on the loop's thread, such as a C callback.
    ///
    /// Traps if it is called on another thread.
    package static func assumeIsolated<Result, Failure: Error>(
        _ operation: @Loop () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        shared.eventLoop.requireLoop()
        typealias Unisolated = () throws(Failure) -> Result
        return try withoutActuallyEscaping(operation) { (operation) throws(Failure) -> Result in
            // The cast removes only the isolation from the function's type, after requireLoop() has checked the thread.
            // MainActor.assumeIsolated in the standard library does the same.
            try unsafeBitCast(operation, to: Unisolated.self)()
        }
    }
}
