/// How long to wait before the next attempt to connect: exponential, with full jitter.
struct Backoff {
    let first: Duration
    let longest: Duration
    private var ceiling: Duration

    init(first: Duration = .milliseconds(100), longest: Duration = .seconds(10)) {
        self.first = first
        self.longest = longest
        ceiling = first
    }

    /// A time between nothing and a ceiling that doubles at each call, up to the longest.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let delay = ceiling * Double.random(in: 0...1, using: &generator)
        ceiling = min(ceiling * 2, longest)
        return delay
    }

    /// Begins anew, after a connection that lasted.
    mutating func reset() {
        ceiling = first
    }
}
