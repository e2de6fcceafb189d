internal import Glibc

/// The one event loop of the process, as a global actor: what is `@Loop` runs on its thread, without locks or hops.
@globalActor
package actor Loop {
    /// The actor behind `@Loop`.
    package static let shared = Loop()

    /// The process's loop. Its thread lives as long as the process does.
    package nonisolated let eventLoop: EventLoop

    private init() {
        do {
            eventLoop = try EventLoop(name: "loop")
        } catch {
            // Without its loop no process of Warren can do anything; nothing has been read from outside yet.
            let line = Array("cannot start the event loop: \(error)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            exit(EXIT_FAILURE)
        }
    }

    /// The loop as the actor's executor.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        eventLoop.asUnownedSerialExecutor()
    }

    /// The loop as a task executor: under it, functions that are isolated to nothing run on the loop too.
    package static var executor: EventLoop { shared.eventLoop }

    /// Runs a closure that belongs to the loop, from a synchronous context that already is on the loop's thread.
    ///
    /// Traps off the loop's thread: it is for C callbacks and event handlers, never for input.
    package static func assumeIsolated<Result, Failure: Error>(
        _ operation: @Loop () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        shared.eventLoop.requireLoop()
        typealias Unisolated = () throws(Failure) -> Result
        return try withoutActuallyEscaping(operation) { (operation) throws(Failure) -> Result in
            // The cast removes the isolation from the type alone: the line above has checked the thread
            // (MainActor.assumeIsolated in the standard library does the same).
            try unsafeBitCast(operation, to: Unisolated.self)()
        }
    }
}
