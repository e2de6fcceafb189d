import BenchKit
import Contracts
import Foundation
import FoundationXML
import Testing

@Suite("Reports of the bench") struct ReportTests {
    private func measurement(
        _ perSecond: Int, p99: Double, post: Double, listed: Int = 1_000_000
    ) throws -> CaseMeasurement {
        let load = try WrkResult(
            output: """
                WARREN-BENCH {"requests": \(perSecond), "duration": 1000000, "p50": 500, "p99": \(p99 * 1000), \
                "p999": \(p99 * 2000), "connect": 0, "read": 0, "write": 0, "timeout": 0, "status": 0, \
                "sent": \(perSecond + 5), "listed": \(listed)}
                """)
        return CaseMeasurement(load: load, microseconds: ["post": post, "media": 0], memory: ["post": 1_048_576])
    }

    private func result() throws -> BenchResult {
        let machine = Machine(cores: 2, processor: "a processor", memory: 1 << 30, kernel: "6.1", commit: nil)
        var result = BenchResult(plan: .quick, machine: machine, startedAt: Timestamp(milliseconds: 0))
        for (dataSet, speed) in [(DataSet(name: "small", posts: 2_000), 1), (DataSet(name: "large", posts: 9_000), 2)] {
            result.fills.append(.init(dataSet: dataSet, copySeconds: 1, indexSeconds: 2))
            for connections in [1, 64] {
                for round in 1...3 {
                    let point = BenchResult.Point(dataSet: dataSet.name, work: .getPost, connections: connections)
                    try result.add(
                        measurement(1_000 * connections * round / speed, p99: Double(round), post: 40), at: point)
                }
            }
        }
        let raw = try #require(
            RawResult(output: #"{"requests": 512000, "seconds": 1, "p50": 0.25, "p99": 1.5, "p999": 3}"#))
        result.add(raw, at: .init(kind: .transient, inFlight: 64))
        for (count, speed) in [(1, 190.0), (2, 380.0), (1, 200.0), (2, 400.0)] {
            result.add(postsPerSecond: speed, workers: count)
        }
        result.memory = [(100, ["post": 10 << 20]), (1_000, ["post": 11 << 20])]
        return result
    }

    @Test("the share of the limit divides the medians, and is missing if the limit was not measured")
    func share() throws {
        let result = try result()
        #expect(result.shareOfLimit(.init(dataSet: "small", work: .getPost, connections: 64)) == 0.25)
        #expect(result.shareOfLimit(.init(dataSet: "small", work: .getPost, connections: 1)) == nil)
    }

    @Test("the table has a row for each case and number of connections, with medians and CPU time by process")
    func table() throws {
        let lines = try result().table.split(separator: "\n").map { line in
            line.split(separator: " ").joined(separator: " ")
        }
        #expect(lines.contains("transient 64 512,000 0 % 0.25 1.50 3.00"))
        #expect(lines.contains("get-post 64 128,000 50 % 0.50 2.00 4.00 0 0.25 post 40"))
        #expect(lines.contains("get-post 1 1,000 50 % 0.50 2.00 4.00 0 post 40"))
        #expect(lines.contains("Data set large, 9,000 posts at the start:"))
        #expect(lines.contains("post 10.0 11.0 10 %"))
        #expect(lines.contains("1 post worker 195 × 1.00") && lines.contains("2 post workers 390 × 2.00"))
    }

    @Test("the table shows repeated requests of a case that is not cached, and not those of a cached case")
    func repeats() throws {
        var result = try result()
        for work in [BenchCase.getPostCold, .firstPage] {
            let point = BenchResult.Point(dataSet: "small", work: work, connections: 1)
            for _ in 1...2 { try result.add(measurement(2_000, p99: 1, post: 40, listed: 1_500), at: point) }
        }
        let lines = result.table.split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("get-post-cold ") && $0.hasSuffix(" (1,010 repeated requests)") } == 1)
        #expect(lines.count { $0.hasPrefix("first-page ") && $0.hasSuffix("post 40") } == 1)
    }

    @Test("the chart is well-formed XML with a line for each data set and percentile, and has colours for dark pages")
    func chart() throws {
        let svg = LatencyChart(try result()).svg
        let counter = ElementCounter()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = counter
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        // Two data sets with two percentiles, and as many lines in the legend.
        #expect(counter.classes.count { $0.hasPrefix("line ") } == 8)
        #expect(counter.classes.count { $0 == "a" || $0 == "b" } == 8)
        #expect(svg.contains("prefers-color-scheme: dark"))
        #expect(!svg.contains("nan") && !svg.contains("inf"))
    }

    @Test("the document has the median, the range and the rounds of each figure")
    func json() throws {
        let json = try result().json
        let point = try #require(json["results"]?.array?.first { $0["connections"]?.integer == 64 })
        let throughput = try #require(point["perSecond"])
        #expect(throughput["median"]?.number == 128_000 && throughput["minimum"]?.number == 64_000)
        #expect(throughput["rounds"]?.array?.count == 3)
        #expect(point["requests"]?.integer == 384_015 && point["responses"]?.integer == 384_000)
        #expect(point["shareOfLimit"]?.number == 0.25)
        #expect(point["cpuMicroseconds"]?["post"]?["median"]?.number == 40)
        #expect(try JSON.parse(Array(json.pretty().utf8))["results"]?.array?.count == 4)
    }

    @Test("the plans measure every case, with small and large data; a case with a limit of connections gets fewer")
    func plans() {
        let plan = BenchPlan.full
        #expect(plan.dataSets.map(\.posts) == [60_000, 1_000_000])
        #expect(plan.connections(of: .upload) == [1, 64] && plan.connections(of: .getPost) == [1, 64, 256])
        #expect(!plan.cases(of: plan.dataSets[1]).contains(.login))
        #expect(BenchPlan.quick.dataSets.count == 1)
        #expect(BenchPlan.quick.measurements == 3 * 2 * 2)
        var wide = BenchPlan.quick
        wide.connections = [500]
        #expect(wide.connections(of: .login) == [64])
    }
}

/// Collects the `class` attributes of a document.
private final class ElementCounter: NSObject, XMLParserDelegate {
    private(set) var classes: [String] = []

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        if let value = attributes["class"] { classes.append(value) }
    }
}
