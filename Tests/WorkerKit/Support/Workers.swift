import Testing

/// The suites that run workers against the real servers: one test after another, since each holds a dozen connections
/// and what is tested is order, not load.
@Suite("Workers", .serialized) enum Workers {}
