import FoundationEssentials
import Synchronization

/// The current fault rules, shared by all requests.
final class FaultRules: Sendable {
    private let rules = Mutex<[FaultRule]>([])

    /// The remaining rules, in their order.
    var current: [FaultRule] { rules.withLock { $0 } }

    /// Replaces all rules with the rules of a JSON document, which has one rule or an array of rules.
    func replace(json: [UInt8]) throws(APIError) {
        let data = Data(json)
        let replacement: [FaultRule]
        do {
            let isArray = json.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "[")
            replacement =
                isArray
                ? try JSONDecoder().decode([FaultRule].self, from: data)
                : [try JSONDecoder().decode(FaultRule.self, from: data)]
        } catch let error as APIError {
            throw error
        } catch {
            throw APIError(400, "The body must be a fault, or an array of faults, in JSON")
        }
        rules.withLock { $0 = replacement }
    }

    func removeAll() {
        rules.withLock { $0 = [] }
    }

    /// Returns the first rule that matches a request. Counts the match, and removes the rule after its last match.
    func takeMatch(for path: FaultRule.Path) -> FaultRule? {
        rules.withLock { rules in
            guard let index = rules.firstIndex(where: { $0.path == nil || $0.path == path }) else { return nil }
            let rule = rules[index]
            if let count = rule.count {
                rules[index].count = count - 1
                if count == 1 { rules.remove(at: index) }
            }
            return rule
        }
    }
}
