internal import CPostgres
internal import Glibc

/// The options that libpq reads from a connection string, a service file and the environment.
struct ConnectionString {
    /// The value and the compiled-in default of each option.
    private let used: [String: (value: String?, compiled: String?)]
    /// The options in the string itself.
    private let given: [String: String]

    /// Reads the options. Reads files, so it can block.
    ///
    /// - Parameter string: a URL or another connection string of libpq, or the name of a database.
    /// - Returns: `nil` if libpq refuses the string, the service file or the environment.
    init?(_ string: String) {
        // Only PQconninfo reports the options of a service, and it needs a connection. libpq checks the options before
        // it connects, so a value that it refuses prevents the connection.
        let connection = withCStrings(["dbname", "target_session_attrs"]) { names in
            withCStrings([string, "none"]) { values in PQconnectStartParams(names, values, 1) }
        }
        defer { PQfinish(connection) }
        let list = PQconninfo(connection)
        defer { PQconninfoFree(list) }
        used = Dictionary(Self.options(of: list)) { first, _ in first }
        guard used["sslmode"]?.value != nil else { return nil }
        // The name of a database is not a connection string, and sets no other option.
        let parsed = PQconninfoParse(string, nil)
        defer { PQconninfoFree(parsed) }
        given = Dictionary(Self.options(of: parsed)) { first, _ in first }.compactMapValues(\.value)
    }

    /// The value of an option; `nil` if it is not set and has no default.
    func value(of option: String) -> String? { used[option]?.value }

    /// The default of an option that is compiled into libpq.
    func compiledDefault(of option: String) -> String? { used[option]?.compiled }

    /// Whether an option is set in the string, in an environment variable or in the service file. A service file that
    /// sets an option to its default counts as not setting it, because libpq does not report the difference.
    func isSet(_ option: String, environmentVariable: String) -> Bool {
        given[option] != nil || getenv(environmentVariable) != nil || used[option]?.value != used[option]?.compiled
    }

    /// Whether the string or an environment variable sets `target_session_attrs`.
    var setsSessionAttributes: Bool {
        given["target_session_attrs"] != nil || getenv("PGTARGETSESSIONATTRS") != nil
    }

    /// Returns the options in an array of libpq, which ends with an option without a keyword (PQconndefaults).
    private static func options(
        of list: UnsafeMutablePointer<PQconninfoOption>?
    ) -> [(String, (value: String?, compiled: String?))] {
        guard var option = list else { return [] }
        var options: [(String, (value: String?, compiled: String?))] = []
        while let keyword = option.pointee.keyword {
            let value = option.pointee.val.map { String(cString: $0) }
            options.append(
                (String(cString: keyword), (value, option.pointee.compiled.map { String(cString: $0) })))
            option += 1
        }
        return options
    }
}
