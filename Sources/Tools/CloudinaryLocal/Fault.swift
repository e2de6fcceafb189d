/// A fault that a test orders: what goes wrong, with which requests, how often.
struct Fault: Sendable, Codable, Equatable {
    /// The requests that a fault can strike.
    enum Path: String, Sendable, Codable {
        case upload, destroy, delivery
    }

    /// How long the request stalls, in milliseconds.
    var delayMilliseconds: Int?
    /// The status to answer with.
    var status: Int?
    /// Whether the connection breaks in the middle of the reply.
    var cut: Bool?
    /// Whether the request is carried out before the fault shows.
    var after: Bool?
    /// How many requests are left to strike; nil for all of them until the fault is deleted.
    var count: Int?
    /// Which requests to strike; nil for all.
    var path: Path?

    init(from decoder: any Decoder) throws {
        let given = try decoder.container(keyedBy: AnyKey.self).allKeys
        guard given.allSatisfy({ CodingKeys(stringValue: $0.stringValue) != nil }) else {
            throw APIError(400, "Unknown field in the fault")
        }
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        delayMilliseconds = try fields.decodeIfPresent(Int.self, forKey: .delayMilliseconds)
        status = try fields.decodeIfPresent(Int.self, forKey: .status)
        cut = try fields.decodeIfPresent(Bool.self, forKey: .cut)
        after = try fields.decodeIfPresent(Bool.self, forKey: .after)
        count = try fields.decodeIfPresent(Int.self, forKey: .count)
        path = try fields.decodeIfPresent(Path.self, forKey: .path)
        guard delayMilliseconds != nil || status != nil || cut == true else {
            throw APIError(400, "A fault needs delayMilliseconds, status or cut")
        }
        guard (0...600_000).contains(delayMilliseconds ?? 0), (400...599).contains(status ?? 500), (count ?? 1) > 0
        else { throw APIError(400, "A fault's delay is 0 to 600000, its status 400 to 599, its count at least 1") }
    }

    private enum CodingKeys: String, CodingKey {
        case delayMilliseconds, status, cut, after, count, path
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
