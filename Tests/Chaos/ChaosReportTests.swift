import ChaosKit
import Contracts
import Testing

@Suite("Report") struct ChaosReportTests {
    @Test("the report adds up the episodes of each combination of faults")
    func sums() {
        var report = ChaosReport(seed: 7, faults: ["broker-killed", "redis-full"])
        for number in 1...2 {
            var episode = EpisodeResult(faults: ["broker-killed"])
            episode.commands = 100
            episode.statuses = [200: 50, 201: 40, 404: 1, 503: 9, 0: number]
            episode.interruptions = [.post: .seconds(number), .search: .seconds(1.25)]
            episode.settled = .milliseconds(6_040)
            episode.findings = number == 2 ? ["a post is lost"] : []
            report.add(episode)
        }
        report.add(EpisodeResult(faults: ["redis-killed", "worker-killed"]))
        let lines = report.text.split(separator: "\n")
        #expect(lines.count == 6)
        #expect(
            lines[1].split(separator: " ")
                == ["broker-killed", "2", "200", "180", "2", "18", "3", "2.0", "s", "(post)", "6.0", "s", "1"])
        #expect(lines[2].hasPrefix("redis-killed + worker-killed  "))
        #expect(lines[3] == "not caused in this time: redis-full")
        #expect(lines[4] == "episode 2: a post is lost")
        #expect(lines[5] == "seed 7: 3 episodes, 200 commands, 1 broken promises")
        #expect(report.findingCount == 1)
    }

    @Test("an episode that ended early is no broken promise, but has an exit status of its own")
    func unfinished() {
        var report = ChaosReport(seed: 7, faults: ["clock-ahead"])
        report.add(EpisodeResult(faults: ["clock-ahead"]))
        #expect(report.exitStatus == 0)
        var episode = EpisodeResult(faults: ["clock-ahead"])
        episode.failure = "there is no libfaketime"
        report.add(episode)
        #expect(report.exitStatus == 2)
        #expect(report.text.contains("\nan episode ended early: there is no libfaketime\n"))
        #expect(report.text.hasSuffix("2 episodes, 0 commands, 0 broken promises"))
        report.finalFindings = ["a post is lost"]
        #expect(report.exitStatus == 1)
        #expect(
            report.text.hasSuffix(
                "\nafter the last episode: a post is lost\nseed 7: 2 episodes, 0 commands, 1 broken promises"))
    }

    @Test("the first 40 findings are listed below the table")
    func manyFindings() {
        var report = ChaosReport(seed: 7, faults: ["a"])
        var episode = EpisodeResult(faults: ["a"])
        episode.findings = (1...41).map { "finding \($0)" }
        report.add(episode)
        #expect(report.text.contains("\nepisode 1: finding 40\nand 1 more\nseed 7"))
        #expect(!report.text.contains("finding 41"))
    }

    @Test("the report says if no faults ran together")
    func mixture() {
        var report = ChaosReport(seed: 7, faults: ["a", "b"])
        report.add(EpisodeResult(faults: ["a"]))
        report.add(EpisodeResult(faults: ["b"]))
        #expect(report.text.contains("\nno faults ran together\n"))
        var separate = ChaosReport(seed: 7, faults: ["a", "b"], isMixing: false)
        separate.add(EpisodeResult(faults: ["a"]))
        #expect(!separate.text.contains("no faults ran together"))
        report.add(EpisodeResult(faults: ["a", "b"]))
        #expect(!report.text.contains("no faults ran together"))
    }

    @Test("durations are rounded to tenths of a second")
    func durations() {
        #expect(Duration.milliseconds(1_949).secondsText == "1.9 s")
        #expect(Duration.milliseconds(1_951).secondsText == "2.0 s")
        #expect(Duration.zero.secondsText == "0.0 s")
    }
}
