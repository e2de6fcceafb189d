import Testing

/// The suites that run workers on the real servers. Their tests run one after another, because each test opens a dozen
/// connections and the subject is order, not load.
@Suite("Workers", .serialized) enum Workers {}
