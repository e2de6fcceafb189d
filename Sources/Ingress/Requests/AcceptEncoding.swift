/// The `Accept-Encoding` field (RFC 9110, section 12.5.3).
enum AcceptEncoding {
    /// Returns whether the client accepts gzip, and does not prefer a body that is not compressed.
    ///
    /// - Parameter field: the value of the field; several fields are joined by commas. A malformed element counts as
    ///   one that the client does not accept.
    static func allowsGzip(_ field: String?) -> Bool {
        guard let field, let elements = FieldText.split(field[...], at: UInt8(ascii: ",")) else { return false }
        var weights: [String: Double] = [:]
        for element in elements {
            let parts = FieldText.split(element, at: UInt8(ascii: ";")) ?? []
            guard let coding = parts.first?.lowercased(), weights[coding] == nil else { continue }
            weights[coding] = weight(parts.dropFirst())
        }
        let gzip = weights["gzip"] ?? weights["x-gzip"] ?? weights["*"] ?? 0
        return gzip > 0 && gzip >= weights["identity"] ?? 0
    }

    private static func weight(_ parameters: ArraySlice<Substring>) -> Double {
        let weights = parameters.map(FieldText.pair).filter { $0.name == "q" }
        guard let text = weights.first?.value else { return 1 }
        guard let weight = Double(text), (0...1).contains(weight) else { return 0 }
        return weight
    }
}
