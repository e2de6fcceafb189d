import FoundationEssentials
import Synchronization

/// The faults that are ordered at the moment, shared by all requests.
final class FaultBoard: Sendable {
    private let faults = Mutex<[Fault]>([])

    /// The faults that have requests left to strike, in their order.
    var current: [Fault] { faults.withLock { $0 } }

    /// Replaces all faults by those of a JSON document: one fault, or an array of them.
    func replace(json: [UInt8]) throws(APIError) {
        let data = Data(json)
        let replacement: [Fault]
        do {
            let isArray = json.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "[")
            replacement =
                isArray
                ? try JSONDecoder().decode([Fault].self, from: data)
                : [try JSONDecoder().decode(Fault.self, from: data)]
        } catch let error as APIError {
            throw error
        } catch {
            throw APIError(400, "The body must be a fault, or an array of faults, in JSON")
        }
        faults.withLock { $0 = replacement }
    }

    func removeAll() {
        faults.withLock { $0 = [] }
    }

    /// The first fault that strikes this request, counted down.
    func take(_ path: Fault.Path) -> Fault? {
        faults.withLock { faults in
            guard let index = faults.firstIndex(where: { $0.path == nil || $0.path == path }) else { return nil }
            let fault = faults[index]
            if let count = fault.count {
                faults[index].count = count - 1
                if count == 1 { faults.remove(at: index) }
            }
            return fault
        }
    }
}
