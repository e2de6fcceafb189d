internal import Contracts
internal import HTTPTypes

// Conditional requests and compression. The compressed form of a response has an entity tag of its own.
extension IngressResponse {
    private static let varies = HTTPField(name: .vary, value: "Accept-Encoding")
    private static let isGzipped = HTTPField(name: .contentEncoding, value: "gzip")

    /// Returns the response to a conditional GET or HEAD request (RFC 9110, section 13.2): 304 if the client already
    /// has this version of the body, 412 if If-Match names other versions, otherwise this response. Tags in If-Match
    /// match no response without an entity tag. `*` matches every response.
    ///
    /// - Parameters:
    ///   - fields: the fields of the request, among them `If-Match` and `If-None-Match`.
    ///   - isGzipped: whether the body would be compressed.
    ///   - traceID: the trace id, which the body of a problem contains.
    func conditional(_ fields: RequestFields, isGzipped: Bool = false, traceID: String) -> IngressResponse {
        guard status == 200, fields.ifMatch != nil || fields.ifNoneMatch != nil else { return self }
        let tag = self.fields[.eTag]
        do throws(Problem) {
            if let field = fields.ifMatch, let required = try EntityTags.required(by: field),
                !required.contains(where: { $0 == tag })
            {
                throw Problem(.preconditionFailed)
            }
        } catch {
            return replaced(by: .problem(error, traceID: traceID))
        }
        guard let field = fields.ifNoneMatch else { return self }
        var kept = self.fields.filter { [.eTag, .cacheControl, .vary].contains($0.name) }
        if let tag {
            let compressed = EntityTags.gzipped(tag)
            let known = (isGzipped ? [compressed, tag] : [tag, compressed]).first { EntityTags.contains($0, in: field) }
            guard let known else { return self }
            kept[.eTag] = known
        } else {
            guard EntityTags.isAny(field) else { return self }
        }
        return replaced(by: IngressResponse(status: 304, fields: HTTPFields(kept)))
    }

    private func replaced(by other: IngressResponse) -> IngressResponse {
        var other = other
        other.rateDecisions = rateDecisions
        other.messageType = messageType
        return other
    }

    /// Whether a client that accepts gzip gets the body compressed.
    var isCompressible: Bool { body.count > ResponseCompressor.smallBody }

    /// Tells caches that the response depends on `Accept-Encoding`.
    mutating func addVary() { fields.append(Self.varies) }

    /// Tells the client in a 415 response which forms of a body are accepted (RFC 9110, section 15.5.16; RFC 5789,
    /// section 2.2).
    mutating func addAcceptedForms(to request: RequestContext) {
        guard status == 415 else { return }
        if request.fields.contentEncoding != nil { fields[.acceptEncoding] = "identity" }
        if request.method == .patch { fields[.acceptPatch] = ContentType.json }
    }

    /// Replaces the body by its compressed form.
    mutating func gzip(_ body: [UInt8]) {
        self.body = body
        fields.append(Self.isGzipped)
        if let tag = fields[.eTag] { fields[.eTag] = EntityTags.gzipped(tag) }
    }
}
