/// How long to wait before the next attempt to connect: twice as long each time, with jitter, so that many processes
/// that lost the same server do not all return at once.
struct Backoff {
    private static let first = Duration.milliseconds(100)
    private static let longest = Duration.seconds(5)
    private var attempts = 0

    var isFirst: Bool { attempts == 0 }

    mutating func next(random: Double = .random(in: 0...1)) -> Duration {
        let delay = min(Self.first * (1 << min(attempts, 10)), Self.longest)
        attempts += 1
        return delay * (0.5 + random / 2)
    }

    mutating func reset() {
        attempts = 0
    }
}
