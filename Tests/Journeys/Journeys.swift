import Testing

/// What crosses processes, against the whole stack.
///
/// Every suite of this target is nested in this one and runs by itself: they stop, kill and scale what they share.
@Suite("Journeys", .serialized) struct Journeys {}
