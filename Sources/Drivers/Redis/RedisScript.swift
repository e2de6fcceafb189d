internal import Reactor

/// A Lua script, sent in full the first time and by its SHA-1 from then on.
///
/// Keep one for the life of the process, as a static constant: it remembers the SHA-1 that the server told.
package final class RedisScript: Sendable {
    /// The script's text.
    package let source: String
    @Loop var digest: String?

    /// Makes a script of its text.
    package init(_ source: String) {
        self.source = source
    }
}
