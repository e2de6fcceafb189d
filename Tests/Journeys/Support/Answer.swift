import Contracts
import Curl
import Testing

/// What the API answered.
struct Answer: Sendable {
    /// Another status than the one that was to come, which ends the test.
    struct Unexpected: Error {}

    let call: String
    let requestID: String
    let response: HTTPResponse

    var status: Int { response.status }

    func header(_ name: String) -> String? { response.header(name) }

    var bytes: [UInt8] { response.body }

    var text: String { String(decoding: response.body, as: UTF8.self) }

    var json: JSON {
        get throws { try JSON.parse(response.body, limits: .trusted) }
    }

    /// Wants a status.
    ///
    /// - Returns: the body, null where there is none.
    @discardableResult func expect(_ wanted: Int, sourceLocation: SourceLocation = #_sourceLocation) throws -> JSON {
        guard status == wanted else {
            Issue.record("\(call): \(status) instead of \(wanted): \(text)", sourceLocation: sourceLocation)
            throw Unexpected()
        }
        return response.body.isEmpty ? .null : try json
    }

    /// Wants a problem as the contract has it.
    @discardableResult func expectProblem(
        _ wanted: Int, _ code: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> JSON {
        let problem = try expect(wanted, sourceLocation: sourceLocation)
        #expect(header("Content-Type") == "application/problem+json", sourceLocation: sourceLocation)
        #expect(problem["code"]?.string == code, sourceLocation: sourceLocation)
        #expect(problem["status"]?.integer == Int64(wanted), sourceLocation: sourceLocation)
        for member in ["type", "title", "traceId"] {
            #expect(problem[member]?.string?.isEmpty == false, "\(member)", sourceLocation: sourceLocation)
        }
        return problem
    }
}

extension JSON {
    /// A text that has to be there.
    func text(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        try #require(self[name]?.string, "no text \(name)", sourceLocation: sourceLocation)
    }

    /// The ids of the objects in a list.
    func ids(_ name: String) -> [String] {
        self[name]?.array?.compactMap { $0["id"]?.string } ?? []
    }
}
