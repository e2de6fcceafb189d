import Contracts
import Foundation
import LocalStack
import TestSupport
import Testing

extension Journeys {
    @Suite("Bench", .timeLimit(.minutes(6))) struct Bench {
        /// Validates a document with Python's `jsonschema`, and prints its faults.
        private static let validator = """
            import json, sys
            from jsonschema import Draft202012Validator
            schema, document = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
            Draft202012Validator.check_schema(schema)
            for error in Draft202012Validator(schema).iter_errors(document):
                print(error.json_path, error.message)
            """

        private func bench(_ arguments: [String]) throws -> Program {
            var program = Program(path: try builtProgram("warren-bench"), arguments: arguments)
            program.environment["WARREN_BENCH_LOCAL"] = RepositoryFile("compose/local").path
            return program
        }

        @Test("a short run measures all processes without an error, and its document matches the schema")
        func shortRun() async throws {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            let (json, svg) = (folder.path("bench.json"), folder.path("bench.svg"))
            let cases = ["get-post", "create-post", "search-uncached"]
            let output = try await bench(
                ["--quick", "--rounds", "1", "--seconds", "1", "--connections", "4", "--accounts", "5", "--posts", "0"]
                    + ["--json", json, "--svg", svg] + cases.flatMap { ["--case", $0] }
            ).runSuccessfully()

            let faults = try await Program(
                path: "/usr/bin/python3",
                arguments: [
                    "-c", Self.validator, RepositoryFile("Sources/Tools/Bench/Kit/result.schema.json").path, json,
                ]
            ).runSuccessfully()
            #expect(faults.isEmpty)

            let document = try JSON.parse(Array(Data(contentsOf: URL(filePath: json))))
            let results = try #require(document["results"]?.array)
            #expect(results.compactMap { $0["case"]?.string } == cases)
            for result in results {
                let name = result["case"]?.string ?? ""
                #expect(result["failedResponses"]?.integer == 0, "\(name)")
                #expect(result["failedConnections"]?.integer == 0, "\(name)")
                #expect(Double.of(result["perSecond"]?["median"]) > 0, "\(name)")
                #expect(Double.of(result["shareOfLimit"]) > 0, "\(name)")
                for process in ["ingress", "broker"] {
                    #expect(Double.of(result["cpuMicroseconds"]?[process]?["median"]) > 0, "\(name) \(process)")
                }
                for process in Stack.daemons + ["broker", "postgres", "redis", "limits", "cloudinary-local"] {
                    #expect(Double.of(result["memoryBytes"]?[process]?["median"]) > 500_000, "\(name) \(process)")
                }
            }
            // The new posts were indexed before the end of the measurement, so their cost is part of it.
            #expect(Double.of(results[1]["cpuMicroseconds"]?["search"]?["median"]) > 0)
            #expect(document["limits"]?.array?.count == 2)
            for name in cases { #expect(output.contains("\(name) "), "\(name)") }
            #expect(try String(contentsOfFile: svg, encoding: .utf8).hasPrefix("<svg "))
        }

        @Test("the bench names the variable that is missing, and exits with status 1")
        func noStack() async throws {
            var program = try bench(["--quick"])
            program.environment["WARREN_URL"] = nil
            let exit = try await program.run()
            #expect(exit.status == 1)
            #expect(exit.errors.contains("WARREN_URL is not set"), "\(exit.errors)")
        }

        @Test("equal cases and equal numbers of connections are measured once")
        func duplicates() async throws {
            let options = ["--quick", "--dry-run", "--case", "login", "--case", "login", "--connections", "4,4,8"]
            let output = try await bench(options).runSuccessfully()
            #expect(output.contains("  4 measurements of 2 s"), "\(output)")
        }

        @Test(
            "a measurement of more than 300 s and a file in a folder that does not exist are refused with status 64",
            arguments: [["--seconds", "301"], ["--json", "/nonexistent/bench.json"], ["--svg", "nonexistent/a.svg"]])
        func faultyOptions(options: [String]) async throws {
            let exit = try await bench(["--dry-run"] + options).run()
            #expect(exit.status == 64 && exit.errors.contains(options[0]), "\(exit.errors)")
        }

        @Test("an unknown case is refused with status 64 before anything is measured")
        func unknownCase() async throws {
            let exit = try await bench(["--dry-run", "--case", "nonsense"]).run()
            #expect(exit.status == 64 && exit.errors.contains("get-post-cold"), "\(exit.errors)")
        }
    }
}

extension Double {
    /// Returns a number of a document; 0 if it is missing.
    fileprivate static func of(_ json: JSON?) -> Double {
        switch json {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: 0
        }
    }
}
