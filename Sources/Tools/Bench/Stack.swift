import FoundationEssentials
import Glibc

/// The stack that is measured, as the variables of `compose/local env` describe it.
struct Stack: Sendable {
    /// The folder with pids, logs and secrets.
    let folder: String
    /// The script `compose/local`, which rebuilds the search index.
    let script: String
    /// The folder of Warren's programs.
    let programs: String
    /// The address of the HTTP API.
    let url: String
    let postDatabase: String
    let searchDatabase: String
    /// The Redis server with the caches.
    let cache: String
    /// The virtual host in which the raw limit is measured.
    let broker: String
    /// The commit of the checkout; `nil` if it is not known.
    let commit: String?

    /// Reads the variables.
    ///
    /// - Throws: ``BenchError`` if one of them is not set.
    init() throws(BenchError) {
        folder = try Self.variable("WARREN_STATE")
        script = try Self.variable("WARREN_BENCH_LOCAL")
        url = try Self.variable("WARREN_URL")
        postDatabase = try Self.variable("WARREN_POST_DATABASE_URL")
        searchDatabase = try Self.variable("WARREN_SEARCH_DATABASE_URL")
        cache = try Self.variable("WARREN_REDIS_URL")
        broker = try Self.variable("WARREN_TEST_AMQP_URL")
        commit = try? Self.variable("WARREN_BENCH_COMMIT")
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        programs = own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    /// The value of the field `Host`.
    var host: String { String(url.drop { $0 != "/" }.drop { $0 == "/" }) }

    private static func variable(_ name: String) throws(BenchError) -> String {
        guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else {
            throw BenchError("\(name) is not set: run compose/local bench")
        }
        return value
    }
}
