import Reactor
import Testing

@Suite("Coded error")
struct CodedErrorTests {
    struct PumpError: CodedError {
        let code: ErrorCode<PumpError>
        let message: String
        let cause: (any Error)?
        let location: ErrorLocation
        var isTransient: Bool { code == .dry }

        init(
            _ code: ErrorCode<PumpError>, _ message: String, cause: (any Error)? = nil, fileID: StaticString = #fileID,
            line: UInt = #line
        ) {
            self.code = code
            self.message = message
            self.cause = cause
            location = ErrorLocation(fileID: fileID, line: line)
        }
    }

    @Test("the description of an error contains its code, its message and its cause")
    func description() {
        let cause = PumpError(.dry, "no water")
        #expect("\(cause)" == "dry: no water")
        #expect("\(PumpError(.stuck, "the valve", cause: cause))" == "stuck: the valve; cause: dry: no water")
    }

    @Test("the debug description of an error contains the source line that made the error")
    func location() {
        let line: UInt = #line + 1
        let error = PumpError(.dry, "no water")
        #expect(String(reflecting: error) == "dry: no water (\(#fileID):\(line))")
    }

    @Test("error codes with the same name are equal")
    func codes() {
        #expect(PumpError(.dry, "a").code == PumpError(.dry, "b").code)
        #expect(ErrorCode<PumpError>.dry != .stuck)
        #expect(PumpError(.dry, "").isTransient)
        #expect(!PumpError(.stuck, "").isTransient)
    }
}

extension ErrorCode where Failure == CodedErrorTests.PumpError {
    static var dry: Self { Self("dry") }
    static var stuck: Self { Self("stuck") }
}
