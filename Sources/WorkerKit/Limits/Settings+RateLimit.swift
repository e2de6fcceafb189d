extension Settings {
    /// Reads a rate limit as ``RateLimit/parse(_:name:)`` does, or the default; returns `nil` if the limit is off.
    ///
    /// - Parameters:
    ///   - variable: the environment variable.
    ///   - name: the name of the limit in keys and response fields.
    ///   - value: the text to parse if the variable is not set.
    /// - Throws: an error that names the variable if the text is malformed.
    package func rateLimit(_ variable: String, name: String, default value: String) throws(Fault) -> RateLimit? {
        let text = try text(variable) ?? value
        do {
            return try RateLimit.parse(text, name: name)
        } catch {
            throw Fault(variable, "\(error)")
        }
    }
}
