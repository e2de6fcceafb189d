import NIOHTTP1

@testable import Ingress

extension RequestContext {
    /// Makes the context of a GET request for tests.
    static func get(_ target: String, _ fields: HTTPHeaders = [:]) throws -> RequestContext {
        var fields = fields
        fields.add(name: "Host", value: "x")
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: target, headers: fields)
        return RequestContext(try RequestHead(head), peer: ClientAddress(nil as IPAddress?))
    }
}
