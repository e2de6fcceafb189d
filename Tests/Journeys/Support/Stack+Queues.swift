import Testing

extension Stack {
    /// How many messages a queue holds.
    func depth(of queue: String) async throws -> Int {
        let lines = try await rabbitmqctl("list_queues", "-p", "warren", "name", "messages")
        let line = lines.split(separator: "\n").first { $0.hasPrefix("\(queue)\t") }
        return try #require(line?.split(separator: "\t").last.flatMap { Int($0) })
    }
}
