/// A fault that `PUT /faults` has set: the requests that it matches, and its effect on them.
struct FaultRule: Sendable, Codable, Equatable {
    /// The kinds of request that a rule can match.
    enum Path: String, Sendable, Codable {
        case upload, destroy, delivery
    }

    /// The delay of the request, in milliseconds; `nil` for no delay.
    var delayMilliseconds: Int?
    /// The status of the response; `nil` if the fault does not change the status.
    var status: Int?
    /// Whether the connection breaks in the middle of the response.
    var cut: Bool?
    /// Whether the request is carried out before the fault is applied.
    var after: Bool?
    /// The number of requests that the rule still matches; `nil` if it matches requests until it is deleted.
    var count: Int?
    /// The kind of request that the rule matches; `nil` for all kinds.
    var path: Path?

    init(from decoder: any Decoder) throws {
        let given = try decoder.container(keyedBy: AnyKey.self).allKeys
        guard given.allSatisfy({ CodingKeys(stringValue: $0.stringValue) != nil }) else {
            throw APIError(400, "The fault has an unknown field")
        }
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        delayMilliseconds = try fields.decodeIfPresent(Int.self, forKey: .delayMilliseconds)
        status = try fields.decodeIfPresent(Int.self, forKey: .status)
        cut = try fields.decodeIfPresent(Bool.self, forKey: .cut)
        after = try fields.decodeIfPresent(Bool.self, forKey: .after)
        count = try fields.decodeIfPresent(Int.self, forKey: .count)
        path = try fields.decodeIfPresent(Path.self, forKey: .path)
        guard delayMilliseconds != nil || status != nil || cut == true else {
            throw APIError(400, "A fault must have delayMilliseconds, status or cut")
        }
        guard (0...600_000).contains(delayMilliseconds ?? 0), (400...599).contains(status ?? 500), (count ?? 1) > 0
        else {
            throw APIError(
                400, "delayMilliseconds must be 0 to 600000, status must be 400 to 599, count must be at least 1")
        }
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
