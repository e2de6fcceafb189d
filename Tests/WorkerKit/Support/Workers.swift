import Testing

/// The suites that run workers on the real servers. Their tests run one after another, because each test opens a dozen
/// connections.
@Suite("Workers", .serialized) enum Workers {}
