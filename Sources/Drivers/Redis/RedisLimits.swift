/// How long a client waits and how much it holds.
package struct RedisLimits: Sendable {
    /// How long a command waits for its reply unless it says otherwise.
    package var timeout: Duration = .milliseconds(200)
    /// How long connecting and logging in may take.
    package var connectTimeout: Duration = .seconds(2)
    /// How long a server may be silent, with a command past its time, before the connection is given up.
    package var silence: Duration = .seconds(1)
    /// How many commands may be under way, those included that have timed out and whose replies are still to come.
    package var outstandingCommands = 10_000
    /// How many bytes of commands may wait to be written, apart from the one that goes past it.
    package var outstandingBytes = 64 << 20
    /// The first and the longest pause between two attempts to connect.
    package var backoff: ClosedRange<Duration> = .milliseconds(50) ... .seconds(5)

    /// The limits that suit a cache on the same network.
    package init() {}
}
