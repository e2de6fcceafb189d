import ChaosKit
import Testing

@Suite struct ProcessWatchTests {
    private let finding = "post-1 has exited, although no fault has ended it"
    private let watch: ProcessWatch = {
        var watch = ProcessWatch()
        watch.expect("post-1", pid: 10)
        return watch
    }()

    @Test func `a process that runs with its pid is no finding`() {
        var watch = watch
        #expect(watch.takeFindings { _ in 10 }.isEmpty)
    }

    @Test(arguments: [nil, 11] as [Int32?])
    func `a process that has ended is a finding once, also if another one has its name`(_ running: Int32?) {
        var watch = watch
        #expect(watch.takeFindings { _ in running } == [finding])
        #expect(watch.takeFindings { _ in running }.isEmpty)
    }

    @Test func `a process that the suite ends is no finding, but its successor is watched`() {
        var watch = watch
        #expect(watch.release("post-1", running: 10) == nil)
        #expect(!watch.expects("post-1"))
        #expect(watch.takeFindings { _ in nil }.isEmpty)
        watch.expect("post-1", pid: 11)
        #expect(watch.takeFindings { _ in 12 } == [finding])
    }

    @Test func `a process that had ended before the suite ends it is a finding`() {
        var watch = watch
        #expect(watch.release("post-1", running: nil) == finding)
        #expect(watch.release("post-1", running: nil) == nil)
    }
}
