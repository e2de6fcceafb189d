internal import HTTPTypes

extension HTTPField.Name {
    static let requestID = constant("X-Request-Id")
    static let preferenceApplied = constant("Preference-Applied")
    static let rateLimit = constant("RateLimit")
    static let rateLimitPolicy = constant("RateLimit-Policy")

    /// The name of a field that the code spells out.
    static func constant(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("a constant is no field name") }
        return name
    }
}
