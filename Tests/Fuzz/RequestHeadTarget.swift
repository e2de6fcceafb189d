import Contracts
import NIOHTTP1

@testable import Ingress

/// The fuzz target for the request target and the header fields of a request.
enum RequestHeadTarget {
    /// Parses the first line of an input as a request target and the other lines as header fields. The peer is a
    /// trusted proxy.
    ///
    /// - Returns: a description of the failure; `nil` if everything that the ingress passes on is valid.
    static func failure(in input: [UInt8]) -> String? {
        let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        let target = lines.first ?? ""
        var fields = HTTPHeaders([("Host", "x")])
        for line in lines.dropFirst() {
            // NIO's parser accepts only ASCII in a name.
            guard let colon = line.firstIndex(of: ":"), line[..<colon].utf8.allSatisfy({ $0 < 0x80 }) else { continue }
            fields.add(name: String(line[..<colon]), value: String(line[line.index(after: colon)...]))
        }
        let request = HTTPRequestHead(version: .http1_1, method: .GET, uri: target, headers: fields)
        guard let head = try? RequestHead(request) else { return nil }
        guard let proxy = IPAddress("10.0.0.1"), let network = try? IPNetwork("10.0.0.0/8") else { return "no proxy" }
        let context = RequestContext(head, peer: ClientAddress(proxy), trusting: TrustedProxies([network]))
        if !(1...200).contains(context.id.utf8.count) { return "the request id is \(context.id)" }
        let trace = context.trace.traceparent
        if TraceContext(traceparent: trace, tracestate: nil).traceparent != trace { return "the trace is \(trace)" }
        if context.client.ip == nil { return "there is no client address" }
        if let tags = context.fields.ifNoneMatch { _ = EntityTags.contains("\"a\"", in: tags) }
        if let tags = context.fields.ifMatch { _ = try? EntityTags.required(by: tags) }
        _ = AcceptEncoding.allowsGzip(context.fields.acceptEncoding)
        return queryFailure(context.query)
    }

    private static func queryFailure(_ query: Substring) -> String? {
        guard let parameters = try? QueryString.parse(query) else { return nil }
        guard parameters.count <= QueryString.maximumCount else { return "there are \(parameters.count) parameters" }
        if RequestWeight.list(parameters, base: 1) < 1 { return "the weight is less than 1" }
        let types = ParameterTypes(Messages.Search.posts.descriptor.request)
        guard let json = try? parameters.json(types) else { return nil }
        guard let object = try? JSON.parse(json) else { return "the parameters do not become JSON" }
        for parameter in parameters where object[parameter.name] == nil { return "\(parameter.name) is lost" }
        return nil
    }

    static let seeds: [[UInt8]] = [
        "/v1/search/posts?query=a%20b&limit=10&page=2\nX-Forwarded-For: 203.0.113.9, 10.0.0.2\nX-Request-Id: abc-1",
        "/v1/posts?cursor=AAAA\nForwarded: for=\"[2001:db8::1]:4711\";proto=https, for=unknown\n"
            + "If-None-Match: W/\"a\", \"b\"",
        "http://x/v1/posts/1?a=b\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n"
            + "tracestate: a=1,b=2",
        "/v1/posts/1\nIf-Match: \"a-gzip\", W/\"b\"\nAccept-Encoding: gzip;q=0.5, *;q=0, identity\n"
            + "X-Forwarded-For: 64:ff9b::203.0.113.9",
        "/v1/posts\nPrefer: respond-async; wait=10, handling=lenient\nIdempotency-Key: k\nContent-Encoding: identity",
    ].map { Array($0.utf8) }

    static let dictionary: [[UInt8]] = [
        "%", "%00", "%ff", "&", "=", "+", "?", "/", "#", "\n", ": ", ",", ";", "\"", "\\", "[", "]", "for=", "W/", "*",
        "X-Forwarded-For: ", "Forwarded: ", "traceparent: ", "If-None-Match: ", "::ffff:", "255.255.255.255", "page=",
        "9223372036854775807", "-1", "unknown", "_hidden", "00-",
        "If-Match: ", "Accept-Encoding: ", "q=", "64:ff9b:1::", "2002:",
    ].map { Array($0.utf8) }
}
