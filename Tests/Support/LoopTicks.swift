internal import Reactor

/// Counts how often the loop comes to a timer of a millisecond that is set again and again while a body runs: seldom
/// where something keeps it busy.
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
