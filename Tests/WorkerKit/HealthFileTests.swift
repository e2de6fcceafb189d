import Foundation
import Logging
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("Health file", .timeLimit(.minutes(1))) struct HealthFileTests {
    /// The simulated health of the process.
    @Loop private final class Health {
        var isHealthy = false
    }

    @Loop private final class Problems {
        var lines: [String] = []
    }

    private let path = FileManager.default.temporaryDirectory.appending(path: "healthy-\(UUID().uuidString)")
        .path(percentEncoded: false)

    private var age: TimeInterval? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.modificationDate] as? Date).map { -$0.timeIntervalSinceNow }
    }

    @Test("a health file is touched while the process is healthy, and removed while it is not or when it stops")
    @Loop func touchedAndRemoved() async throws {
        let health = Health()
        let file = HealthFile(path: path, every: .milliseconds(20), log: .quiet) { health.isHealthy }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await file.run() }
            try await Loop.sleep(for: .milliseconds(100))
            #expect(age == nil)
            health.isHealthy = true
            #expect(try await eventually { age != nil })
            let old = [FileAttributeKey.modificationDate: Date(timeIntervalSince1970: 0)]
            try FileManager.default.setAttributes(old, ofItemAtPath: path)
            #expect(try await eventually { (age ?? .infinity) < 10 }, "the file is touched periodically")
            health.isHealthy = false
            #expect(try await eventually { age == nil })
            health.isHealthy = true
            #expect(try await eventually { age != nil })
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(age == nil)
    }

    @Test("a health file has a line for each current problem")
    @Loop func problems() async throws {
        let problems = Problems()
        let file = HealthFile(
            path: path, every: .milliseconds(20), log: .quiet, isHealthy: { true }, problems: { problems.lines })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await file.run() }
            for lines in [["one", "two"], ["three"], []] {
                problems.lines = lines
                let text = lines.map { $0 + "\n" }.joined()
                #expect(try await eventually { (try? String(contentsOfFile: path, encoding: .utf8)) == text })
            }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test("a health file appears at once when a starting process becomes healthy, however rarely it is touched")
    @Loop func start() async throws {
        let health = Health()
        try Data().write(to: URL(filePath: path))
        let file = HealthFile(path: path, every: .seconds(60), log: .quiet) { health.isHealthy }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await file.run() }
            #expect(try await eventually { age == nil }, "the file of an earlier process is removed")
            health.isHealthy = true
            #expect(try await eventually(within: .seconds(10)) { age != nil })
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test("a health file is not written if its path is a symbolic link")
    @Loop func link() async throws {
        let target = "\(path)-target"
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        let file = HealthFile(path: path, every: .milliseconds(20), log: .quiet) { true }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await file.run() }
            try await Loop.sleep(for: .milliseconds(100))
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(!FileManager.default.fileExists(atPath: target))
    }
}
