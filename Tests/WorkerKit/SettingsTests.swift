import AMQP
import Foundation
import Logging
import Redis
import Testing

@testable import WorkerKit

@Suite("Settings")
struct SettingsTests {
    /// Runs a body with the path of a file that has this content.
    private func withFile(_ content: [UInt8], _ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kit-\(UUID().uuidString)").path
        try Data(content).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func fault(_ environment: [String: String], _ read: (Settings) throws -> Void) -> String? {
        do {
            try read(Settings(environment: environment))
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("the error for a required setting that is missing or empty is one line with the setting's name")
    func missing() {
        for environment in [[:], ["WARREN_X": ""], ["WARREN_X_FILE": ""], ["warren_x": "lower case is another"]] {
            let fault = fault(environment) { _ = try $0.requiredText("WARREN_X") }
            #expect(fault == "WARREN_X: is not set (nor is WARREN_X_FILE)")
        }
        #expect(throws: Never.self) { try Settings(environment: [:]).text("WARREN_X") }
    }

    @Test("a setting is read from a file without the white space at the end of the file")
    func file() throws {
        for content in ["secret", "secret\n", "secret \r\n\t\n"] {
            try withFile(Array(content.utf8)) { path throws in
                let settings = Settings(environment: ["WARREN_X_FILE": path])
                #expect(try settings.text("WARREN_X") == "secret")
                #expect(try settings.requiredText("WARREN_X") == "secret")
            }
        }
        try withFile(Array(" two words\nand a line\n".utf8)) { path throws in
            #expect(try Settings(environment: ["WARREN_X_FILE": path]).text("WARREN_X") == " two words\nand a line")
        }
    }

    @Test("a setting that is set twice, or whose file is missing, empty, binary or a directory, throws an error")
    func wrongFile() throws {
        let missing = fault(["WARREN_X_FILE": "/nowhere/at/all"]) { _ = try $0.text("WARREN_X") }
        #expect(missing == "WARREN_X_FILE: names a file that cannot be read")
        let directory = fault(["WARREN_X_FILE": "/tmp"]) { _ = try $0.text("WARREN_X") }
        #expect(directory == "WARREN_X_FILE: names a file that cannot be read")
        for content in [[], Array(" \n\t\n".utf8)] as [[UInt8]] {
            try withFile(content) { path throws in
                let empty = fault(["WARREN_X_FILE": path]) { _ = try $0.text("WARREN_X") }
                #expect(empty == "WARREN_X_FILE: names an empty file")
            }
        }
        try withFile([0xFF, 0xFE, 0x41]) { path throws in
            let binary = fault(["WARREN_X_FILE": path]) { _ = try $0.text("WARREN_X") }
            #expect(binary == "WARREN_X_FILE: names a file that cannot be read")
        }
        try withFile(Array("one".utf8)) { path throws in
            let both = fault(["WARREN_X": "two", "WARREN_X_FILE": path]) { _ = try $0.text("WARREN_X") }
            #expect(both == "WARREN_X: must not be set together with WARREN_X_FILE")
        }
    }

    @Test("a number outside its bounds is refused, and a number that is not set has its default")
    func integer() throws {
        let settings = Settings(environment: ["A": "7", "B": "1", "C": "100"])
        #expect(try settings.integer("A", default: 4, in: 1...100) == 7)
        #expect(try settings.integer("B", default: 4, in: 1...100) == 1)
        #expect(try settings.integer("C", default: 4, in: 1...100) == 100)
        #expect(try settings.integer("D", default: 4, in: 1...100) == 4)
        for wrong in ["0", "101", "-1", "four", "4.0", "4 ", "99999999999999999999", "0x4", "٤"] {
            let fault = fault(["WARREN_N": wrong]) { _ = try $0.integer("WARREN_N", default: 4, in: 1...100) }
            #expect(fault == "WARREN_N: must be a whole number from 1 to 100")
        }
    }

    @Test("a list is split at its commas, without empty elements and without spaces around the elements")
    func list() throws {
        let settings = Settings(environment: ["A": " one, two ,,three", "B": ", ,"])
        #expect(try settings.list("A") == ["one", "two", "three"])
        #expect(try settings.list("B", default: ["x"]) == [])
        #expect(try settings.list("C", default: ["x"]) == ["x"])
    }

    @Test("the error for a malformed server URL is one line with the variable's name and without the password")
    func address() {
        for wrong in ["http://u:hunter2@h", "amqp://u:hunter2@h:port", "amqp://u:hun%zzter2@h", "hunter2"] {
            let fault = fault(["WARREN_AMQP_URL": wrong]) {
                _ = try $0.parsed("WARREN_AMQP_URL") { try BrokerAddress(url: $0) }
            }
            #expect(fault?.hasPrefix("WARREN_AMQP_URL: ") == true)
            #expect(fault?.contains("hunter2") == false && fault?.contains("hun%") == false)
            #expect(fault?.contains("\n") == false)
        }
        for wrong in ["http://u:hunter2@h", "redis://u:hunter2@h:port", "redis://u:hunter2@h/x", "hunter2"] {
            let fault = fault(["WARREN_REDIS_URL": wrong]) {
                _ = try $0.parsed("WARREN_REDIS_URL") { try RedisAddress(url: $0) }
            }
            #expect(fault?.hasPrefix("WARREN_REDIS_URL: ") == true)
            #expect(fault?.contains("hunter2") == false)
        }
    }

    @Test("the log level is one of swift-log's levels in upper or lower case, and another text is refused")
    func logLevel() throws {
        #expect(try Settings(environment: [:]).logLevel() == .info)
        #expect(try Settings(environment: ["WARREN_LOG_LEVEL": "Debug"]).logLevel() == .debug)
        let wrong = fault(["WARREN_LOG_LEVEL": "loud"]) { _ = try $0.logLevel() }
        #expect(wrong?.hasPrefix("WARREN_LOG_LEVEL: must be ") == true)
    }
}
