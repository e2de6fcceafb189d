import Contracts
import Curl
import Testing

/// A response of the HTTP API, with the request that it belongs to.
struct APIResponse: Sendable {
    /// The response has an unexpected status. The issue is recorded before this error is thrown.
    struct UnexpectedStatus: Error {}

    /// The method and the path of the request, for messages.
    let call: String
    /// The `X-Request-Id` of the request.
    let requestID: String
    let response: HTTPResponse

    var status: Int { response.status }

    func header(_ name: String) -> String? { response.header(name) }

    var bytes: [UInt8] { response.body }

    var text: String { String(decoding: response.body, as: UTF8.self) }

    var json: JSON {
        get throws { try JSON.parse(response.body, limits: .trusted) }
    }

    /// Checks the status.
    ///
    /// - Returns: the body, or null if it is empty.
    /// - Throws: ``UnexpectedStatus`` if the status differs; an error of the parser if the body is not JSON.
    @discardableResult func expect(_ wanted: Int, sourceLocation: SourceLocation = #_sourceLocation) throws -> JSON {
        guard status == wanted else {
            Issue.record("\(call): \(status) instead of \(wanted): \(text)", sourceLocation: sourceLocation)
            throw UnexpectedStatus()
        }
        return response.body.isEmpty ? .null : try json
    }

    /// Checks that the response is a problem (RFC 9457) with a status and a code, and has all members of the contract.
    ///
    /// - Returns: the problem.
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
    /// The string of a member that must exist.
    func text(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        try #require(self[name]?.string, "no string \(name)", sourceLocation: sourceLocation)
    }

    /// The `id` of each object in the array of a member; empty if there is no such array.
    func ids(_ name: String) -> [String] {
        self[name]?.array?.compactMap { $0["id"]?.string } ?? []
    }
}
