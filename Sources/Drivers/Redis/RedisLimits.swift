/// Timeouts of a client and limits on the commands in flight.
package struct RedisLimits: Sendable {
    /// How long to wait for the reply to a command, unless the call has a timeout of its own.
    package var timeout: Duration = .milliseconds(200)
    /// How long to wait for a connection and the login.
    package var connectTimeout: Duration = .seconds(2)
    /// If a command has timed out and the server has sent no data for this time, the connection is closed.
    package var silence: Duration = .seconds(1)
    /// The maximum number of commands in flight, including those that have timed out but whose reply may still arrive.
    package var outstandingCommands = 10_000
    /// The maximum number of bytes that wait for the socket. A single command may exceed it.
    package var outstandingBytes = 64 << 20
    /// The range of the pauses between attempts to connect.
    package var backoff: ClosedRange<Duration> = .milliseconds(50) ... .seconds(5)

    /// Makes limits for a cache on the same network.
    package init() {}
}
