internal import Configuration
internal import FoundationEssentials

/// The process's configuration: environment variables, and files that such variables name.
///
/// A value `NAME` may also be given as `NAME_FILE`, the path of a file that holds it; white space at its end is cut.
package struct Settings: Sendable {
    /// A value that is missing or malformed; the description is one line that names the variable.
    package struct Fault: Error, CustomStringConvertible {
        /// The environment variable.
        package let variable: String
        /// What is wrong with it, without its value.
        package let reason: String

        /// Makes a fault of a variable and what is wrong with it.
        package init(_ variable: String, _ reason: String) {
            self.variable = variable
            self.reason = reason
        }

        /// The variable and the reason.
        package var description: String { "\(variable): \(reason)" }
    }

    private let reader: ConfigReader

    /// Reads the environment of the process.
    package init() {
        self.init(environment: ProcessInfo.processInfo.environment)
    }

    /// Reads the variables given.
    package init(environment: [String: String]) {
        reader = ConfigReader(
            provider: EnvironmentVariablesProvider(environmentVariables: environment, secretsSpecifier: .all))
    }

    /// A text, or nil where neither the variable nor its file variant is set.
    ///
    /// - Throws: ``Fault`` where both are set, or the file cannot be read.
    package func text(_ variable: String) throws(Fault) -> String? {
        let direct = raw(variable)
        guard let path = raw("\(variable)_FILE") else { return direct }
        guard direct == nil else { throw Fault(variable, "is set together with \(variable)_FILE") }
        guard let content = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Fault("\(variable)_FILE", "names a file that cannot be read")
        }
        guard let end = content.lastIndex(where: { !$0.isWhitespace }) else {
            throw Fault("\(variable)_FILE", "names an empty file")
        }
        return String(content[...end])
    }

    /// A text that must be there.
    package func requiredText(_ variable: String) throws(Fault) -> String {
        guard let value = try text(variable) else {
            throw Fault(variable, "is not set (nor is \(variable)_FILE)")
        }
        return value
    }

    /// A whole number within bounds, or the default.
    package func integer(_ variable: String, default value: Int, in range: ClosedRange<Int>) throws(Fault) -> Int {
        guard let text = try text(variable) else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw Fault(variable, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A comma-separated list, or the default; empty parts are left out.
    package func list(_ variable: String, default value: [String] = []) throws(Fault) -> [String] {
        guard let text = try text(variable) else { return value }
        return text.split(separator: ",").map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }

    /// A value made of a text by a parser whose error becomes the fault's reason.
    package func parsed<Value>(
        _ variable: String, _ parse: (String) throws -> Value
    ) throws(Fault) -> Value {
        let text = try requiredText(variable)
        do {
            return try parse(text)
        } catch {
            throw Fault(variable, "\(error)")
        }
    }

    private func raw(_ variable: String) -> String? {
        let key = variable.lowercased().split(separator: "_").map(String.init)
        guard let value = reader.string(forKey: ConfigKey(key), isSecret: true), !value.isEmpty else { return nil }
        return value
    }
}
