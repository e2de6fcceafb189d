import Testing

/// Tests that involve several processes, run against a whole stack.
///
/// All suites of this target are nested in this one, which is serialized, because they stop, kill and scale processes
/// that they share.
@Suite("Journeys", .serialized) struct Journeys {}
