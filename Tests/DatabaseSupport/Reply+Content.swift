package import Contracts
package import WorkerKit

extension Reply {
    /// The body as text.
    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON; `null` if it is malformed.
    package var json: JSON { (try? JSON.parse(body, limits: .trusted)) ?? .null }

    /// The code of the problem in the body; `nil` if there is none.
    package var code: String? { json["code"]?.string }

    /// The JSON pointers of the problem's faults.
    package var pointers: [String] { json["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? [] }
}
