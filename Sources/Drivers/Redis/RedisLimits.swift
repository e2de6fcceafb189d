/// Timeouts of a client and limits on the commands in flight.
package struct RedisLimits: Sendable {
    /// How long to wait for the reply to a command, unless the call has a timeout of its own.
    package var timeout: Duration = .milliseconds(200)
    /// How long to wait for a connection and the login.
    package var connectTimeout: Duration = .seconds(2)
    /// If a command has timed out and the server has sent no data for this time, the connection is closed.
    package var silence: Duration = .seconds(1)
    /// The maximum number of commands in flight. A command that has timed out stays in flight until its reply arrives.
    package var outstandingCommands = 10_000
    /// If this number of bytes waits for the socket, further commands fail. A single command may exceed the number.
    package var outstandingBytes = 64 << 20
    /// The range of the delays between attempts to connect (``Backoff``).
    package var backoff: ClosedRange<Duration> = .milliseconds(50) ... .seconds(5)

    /// Makes the default limits, which suit a cache on the same network.
    package init() {}
}
