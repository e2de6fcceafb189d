import Testing

/// Tests that involve several processes. They run against a stack: all daemons and servers.
///
/// All suites of this target are nested in this suite. It is serialized, because its tests stop, kill and scale
/// processes that other tests use.
@Suite("Journeys", .serialized) struct Journeys {}
