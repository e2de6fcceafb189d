internal import Contracts

/// A parameter of the path or the query, percent-decoded.
struct Parameter: Sendable, Hashable {
    let name: String
    let value: String
}

/// The query of a request target.
enum Query {
    /// Reads `name=value&name=value`; a plus is a space, as HTML forms have it (URL Standard, section 5.1).
    ///
    /// - Returns: the parameters in their order; nothing where a part is no percent-encoded UTF-8.
    static func parse(_ query: Substring) -> [Parameter]? {
        var parameters: [Parameter] = []
        for part in query.utf8.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            guard let name = PercentEncoding.decode(part[..<equals], plusIsSpace: true),
                let value = PercentEncoding.decode(part[equals...].dropFirst(), plusIsSpace: true)
            else { return nil }
            parameters.append(Parameter(name: name, value: value))
        }
        return parameters
    }
}

extension [Parameter] {
    /// The parameters as a JSON object with the types that the message's schema gives them.
    ///
    /// A number that is none stays a string and an unknown name stays in: the worker's schema refuses them by name.
    ///
    /// - Throws: `malformed-request` where a name comes twice.
    func json(_ types: ParameterTypes) throws(Problem) -> [UInt8] {
        var writer = JSONWriter(capacity: 96)
        writer.beginObject()
        for (index, parameter) in enumerated() {
            let name = parameter.name
            guard !self[..<index].contains(where: { $0.name == name }) else {
                throw Problem(.malformedRequest, detail: "A parameter is given twice.")
            }
            writer.name(name)
            if types.isInteger(name), let number = parameter.value.wholeNumber {
                writer.integer(number)
            } else {
                writer.string(parameter.value)
            }
        }
        writer.endObject()
        return writer.bytes
    }
}

extension String {
    /// The number, where this is one as JSON would write it.
    fileprivate var wholeNumber: Int64? {
        guard utf8.count <= 20, let number = Int64(self), String(number) == self else { return nil }
        return number
    }
}
