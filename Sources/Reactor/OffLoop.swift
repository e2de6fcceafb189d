/// Runs a computation on a thread of Swift's global pool, so that the loop is not blocked meanwhile.
///
/// Use ``onOwnThread(_:)`` for a call that can wait for another process.
@concurrent package func offLoop<Value: Sendable>(_ body: @Sendable () -> Value) async -> Value {
    // In a task that prefers the loop as its executor, `@concurrent` alone does not leave the loop.
    await withTaskExecutorPreference(globalConcurrentExecutor) { body() }
}
