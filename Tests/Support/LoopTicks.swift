internal import Reactor

/// Counts how often a repeated timer of one millisecond fires while a body runs. The count is low if the body blocks
/// the loop.
@Loop package func loopTicks(during body: @Loop () async -> Void) async -> Int {
    var ticks = 0
    var isDone = false
    func tick() {
        ticks += 1
        if !isDone { Loop.schedule(after: .milliseconds(1)) { tick() } }
    }
    tick()
    await body()
    isDone = true
    return ticks
}
