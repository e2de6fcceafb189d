import BenchKit
import Testing

@Suite("Statistics of the bench") struct StatisticsTests {
    @Test("the median of an odd number of rounds is the middle value, and of an even number the mean of the middle two")
    func median() throws {
        let odd = try #require(Spread([5, 1, 3]))
        #expect(odd.median == 3 && odd.minimum == 1 && odd.maximum == 5)
        #expect(odd.values == [5, 1, 3])
        let even = try #require(Spread([4, 1, 3, 10]))
        #expect(even.median == 3.5)
        #expect(Spread([]) == nil)
    }

    @Test("the deviation is half of the range as a share of the median")
    func deviation() throws {
        #expect(try #require(Spread([90, 100, 120])).relativeDeviation == 0.15)
        #expect(try #require(Spread([0, 0])).relativeDeviation == 0)
    }

    @Test("the CPU time per request is the growth of a process's time; a process that was restarted is left out")
    func perRequest() {
        let before = ["post": 1_000, "media": 5_000, "search": 9_000].mapValues {
            ProcessUse(microseconds: $0, memory: 0)
        }
        let after = ["post": 51_000, "media": 5_000, "search": 100, "identity": 70].mapValues {
            ProcessUse(microseconds: $0, memory: 0)
        }
        #expect(microsecondsPerRequest(before, after, requests: 1_000) == ["post": 50, "media": 0])
        #expect(microsecondsPerRequest(before, after, requests: 0).isEmpty)
    }

    @Test("numbers are printed with a fixed number of digits, and with commas between thousands")
    func numbers() {
        #expect(NumberText.fixed(0.05, 1) == "0.1")
        #expect(NumberText.fixed(12.3456, 2) == "12.35")
        #expect(NumberText.fixed(7.004, 2) == "7.00")
        #expect(NumberText.fixed(-1.5, 0) == "-2")
        #expect(NumberText.grouped(1_234_567.4) == "1,234,567")
        #expect(NumberText.grouped(999) == "999")
        #expect(["0.12", "1.50", "12.3", "123"] == [0.123, 1.5, 12.34, 123.4].map(NumberText.milliseconds))
    }
}

@Suite("Output that the bench reads") struct ParsingTests {
    private let line = """
        WARREN-BENCH {"requests": 1000, "duration": 2000000, "p50": 1500.0, "p99": 9000.5, "p999": 20000.0, \
        "connect": 1, "read": 2, "write": 3, "timeout": 4, "status": 50, "sent": 1064, "listed": 64}
        """

    @Test("the line of requests.lua is found among the other output of wrk")
    func wrk() throws {
        let result = try WrkResult(output: "Running 2s test\n  Latency 1ms\n\(line)\n")
        #expect(result.requests == 1_000 && result.sent == 1_064 && result.seconds == 2)
        #expect(result.perSecond == 475)
        #expect(result.latency == Latency(p50: 1.5, p99: 9.0005, p999: 20))
        #expect(result.failedResponses == 50 && result.failedConnections == 10)
        #expect(result.repeats == 1_000)
    }

    @Test(
        "output of wrk without a complete line is an error that repeats the output",
        arguments: ["unable to connect to 127.0.0.1:1 Connection refused", "WARREN-BENCH {\"requests\": 1}"])
    func brokenWrk(output: String) throws {
        let error = #expect(throws: WrkResult.Malformed.self) { try WrkResult(output: output) }
        #expect(error?.description.contains(output) == true)
    }

    @Test("the output of warren-bench-raw becomes requests per second")
    func raw() throws {
        let text = #"{"requests": 30000, "seconds": 1.5, "p50": 0.25, "p99": 1.5, "p999": 3}"#
        let result = try #require(RawResult(output: text))
        #expect(result.perSecond == 20_000)
        #expect(result.latency == Latency(p50: 0.25, p99: 1.5, p999: 3))
        #expect(RawResult(output: "warren-bench-raw: connect: refused") == nil)
    }

    @Test("the CPU time of a process is read although the program's name contains spaces and parentheses")
    func stat() throws {
        let text =
            "17 (a ) b) S 4 17 17 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 12345 1000 200 18446744073709551615"
        let stat = try #require(ProcStat(text))
        #expect(stat.parent == 4 && stat.ticks == 110)
        #expect(ProcStat("17 (short) S 4") == nil)
    }

    @Test("memory that the processes of a server share is counted once")
    func memory() throws {
        let text = "Name:\tpostgres\nRssAnon:\t      %d kB\nRssFile:\t  2048 kB\nRssShmem:\t   1024 kB\n"
        let processes = try [100, 200].map {
            try #require(ResidentMemory(text.replacing("%d", with: "\($0)")))
        }
        #expect(ResidentMemory.total(processes) == (300 + 2048 + 1024) * 1024)
        #expect(ResidentMemory("Name:\tgone\n") == nil)
    }
}
