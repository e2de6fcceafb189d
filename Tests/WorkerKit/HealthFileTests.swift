import Foundation
import Logging
import Reactor
import TestSupport
import Testing

@testable import WorkerKit

@Suite("A health file", .timeLimit(.minutes(1))) struct HealthFileTests {
    /// Whether the process that is played here could work.
    @Loop private final class Fitness {
        var isFit = false
    }

    private let path = FileManager.default.temporaryDirectory.appending(path: "healthy-\(UUID().uuidString)")
        .path(percentEncoded: false)

    private var age: TimeInterval? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.modificationDate] as? Date).map { -$0.timeIntervalSinceNow }
    }

    @Test("is fresh while the process is fit to work, missing while it is not, and gone once it has stopped")
    @Loop func life() async throws {
        let fitness = Fitness()
        let file = HealthFile(path: path, every: .milliseconds(20), log: Logger(label: "test")) { fitness.isFit }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await file.run() }
            try await Loop.sleep(for: .milliseconds(100))
            #expect(age == nil)
            fitness.isFit = true
            #expect(try await eventually { age != nil })
            let old = [FileAttributeKey.modificationDate: Date(timeIntervalSince1970: 0)]
            try FileManager.default.setAttributes(old, ofItemAtPath: path)
            #expect(try await eventually { (age ?? .infinity) < 10 }, "it is touched again and again")
            fitness.isFit = false
            #expect(try await eventually { age == nil })
            fitness.isFit = true
            #expect(try await eventually { age != nil })
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(age == nil)
    }

    @Test("is not written through a link that someone laid there")
    @Loop func link() async throws {
        let target = "\(path)-target"
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        let file = HealthFile(path: path, every: .milliseconds(20), log: Logger(label: "test")) { true }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await file.run() }
            try await Loop.sleep(for: .milliseconds(100))
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(!FileManager.default.fileExists(atPath: target))
    }
}
