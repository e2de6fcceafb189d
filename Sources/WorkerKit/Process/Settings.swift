internal import Configuration
internal import FoundationEssentials
package import Reactor

/// The process's configuration, from environment variables and files.
///
/// Instead of a variable `NAME`, the variable `NAME_FILE` can be set to the path of a file that contains the value.
/// White space at the end of the file is removed.
package struct Settings: Sendable {
    private let reader: ConfigReader

    /// Reads the process's environment.
    package init() {
        self.init(environment: ProcessInfo.processInfo.environment)
    }

    /// Reads the given variables.
    package init(environment: [String: String]) {
        reader = ConfigReader(
            provider: EnvironmentVariablesProvider(environmentVariables: environment, secretsSpecifier: .all))
    }

    /// Returns the value of a variable or of its file; `nil` if neither is set.
    ///
    /// - Throws: ``SettingsError`` if both are set, or if the file is empty or cannot be read.
    package func text(_ variable: String) throws(SettingsError) -> String? {
        let direct = raw(variable)
        guard let path = raw("\(variable)_FILE") else { return direct }
        guard direct == nil else { throw SettingsError(variable, "must not be set together with \(variable)_FILE") }
        guard let content = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw SettingsError("\(variable)_FILE", "names a file that cannot be read")
        }
        guard let end = content.lastIndex(where: { !$0.isWhitespace }) else {
            throw SettingsError("\(variable)_FILE", "names an empty file")
        }
        return String(content[...end])
    }

    /// Returns the value of a variable that must be set.
    package func requiredText(_ variable: String) throws(SettingsError) -> String {
        guard let value = try text(variable) else {
            throw SettingsError(variable, "is not set (nor is \(variable)_FILE)", code: .missing)
        }
        return value
    }

    /// Returns a whole number; the default if the variable is not set.
    ///
    /// - Throws: ``SettingsError`` if the value is not a whole number within the range.
    package func integer(_ variable: String, default value: Int, in range: ClosedRange<Int>) throws(SettingsError)
        -> Int
    {
        guard let text = try text(variable) else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw SettingsError(variable, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Returns the elements of a comma-separated list, without empty elements and without spaces around the elements;
    /// the default if the variable is not set.
    package func list(_ variable: String, default value: [String] = []) throws(SettingsError) -> [String] {
        guard let text = try text(variable) else { return value }
        return text.split(separator: ",").map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }

    /// Returns the parsed value of a variable that must be set.
    ///
    /// - Parameter parse: parses the text; the message of its error becomes the reason of the ``SettingsError``.
    package func parsed<Value>(
        _ variable: String, _ parse: (String) throws -> Value
    ) throws(SettingsError) -> Value {
        let text = try requiredText(variable)
        do {
            return try parse(text)
        } catch {
            throw SettingsError(variable, (error as? any CodedError)?.message ?? "\(error)")
        }
    }

    private func raw(_ variable: String) -> String? {
        let key = variable.lowercased().split(separator: "_").map(String.init)
        guard let value = reader.string(forKey: ConfigKey(key), isSecret: true), !value.isEmpty else { return nil }
        return value
    }
}

/// A setting is missing or malformed. The description is one line that names the variable.
package struct SettingsError: CodedError {
    /// The kind of failure.
    package let code: ErrorCode<SettingsError>
    /// The name of the environment variable.
    package let variable: String
    /// The reason, without the variable's value.
    package let reason: String
    /// The place in Warren's source code at which the error was made.
    package let location: ErrorLocation
    /// The variable and the reason.
    package var message: String { "\(variable): \(reason)" }
    /// `false`, because the operator must change the setting.
    package var isTransient: Bool { false }
    /// The message alone, because it is shown to the operator on the terminal.
    package var description: String { message }

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - variable: the name of the environment variable.
    ///   - reason: the reason, without the variable's value, such as `must be a URL`.
    package init(
        _ variable: String, _ reason: String, code: ErrorCode<SettingsError> = .malformed,
        fileID: StaticString = #fileID, line: UInt = #line
    ) {
        self.code = code
        self.variable = variable
        self.reason = reason
        location = ErrorLocation(fileID: fileID, line: line)
    }
}

extension ErrorCode<SettingsError> {
    /// A required variable is not set.
    package static let missing = ErrorCode("missing-setting")
    /// The value cannot be parsed or is out of bounds.
    package static let malformed = ErrorCode("malformed-setting")
}
