import Contracts

/// The fuzz target for JSON: the parser and the schemas of messages.
enum JSONTarget {
    /// Decodes an input as several message types and as JSON.
    ///
    /// - Returns: a description of the failure; `nil` if the input is not JSON, or if it keeps its value when it is
    ///   written and parsed again.
    static func failure(in input: [UInt8]) -> String? {
        _ = try? Messages.Identity.register.request.decode(input)
        _ = try? Messages.Post.create.request.decode(input)
        _ = try? Messages.Post.list.request.decode(input)
        _ = try? Messages.Search.posts.request.decode(input)
        _ = try? Messages.Identity.me.request.decode(input)
        if let event = try? EventEnvelope.decode(input) {
            _ = try? event.decode(PostCreated.self)
            _ = try? event.decode(MediaUploaded.self)
        }
        guard let json = try? JSON.parse(input) else { return nil }
        let written = json.serialized()
        guard let again = try? JSON.parse(written, limits: .trusted) else { return "serialized JSON cannot be parsed" }
        return again.serialized() == written ? nil : "serialized JSON is parsed as a different value"
    }

    static let seeds: [[UInt8]] = [
        #"{"username":"A.b_c-9","email":"a.b+c@x-1.example.org","password":"8 chars!"}"#,
        #"{"content":"Hello \u00e9\ud83d\ude00","mediaIds":["0190a0b0-1234-7abc-8def-0123456789ab"]}"#,
        #"{"limit":10,"page":1e0,"cursor":"aGVsbG8_-w"}"#, #"[1,-0,1.5e-3,1E400,true,false,null,"",[],{}]"#,
        #"{"specversion":"1.0","id":"0190a0b0-1234-7abc-8def-0123456789ab","source":"/warren/post","type":"post.created","time":"2025-01-31T09:05:00.123Z","data":{"id":"0190a0b0-1234-7abc-8def-0123456789ab","author":{"id":"0190a0b0-1234-7abc-8def-0123456789ab","username":"ada"},"content":"x","media":[],"createdAt":"2025-01-31T09:05:00Z","mediaIds":[]}}"#,
    ].map { Array($0.utf8) }

    static let dictionary: [[UInt8]] = [
        "\"", "\\", "\\u0000", "\\ud800", "\\udc00", "{", "}", "[", "]", ":", ",", "1e999", "-", "0", ".", "null",
        "tru",
        "\u{FEFF}", "\"a\":", String(repeating: "[", count: 40), String(repeating: "9", count: 500),
    ].map { Array($0.utf8) }
}
