import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle

extension LocalServer {
    /// `/faults`: `PUT` orders faults in place of those before, `GET` shows what is left of them, `DELETE` ends them.
    func answerFaults(_ request: Request) async throws -> Reply {
        try require(request, .put, .get, .delete)
        if request.method == .put { try faults.replace(json: try await request.bytes(upTo: 64 << 10)) }
        if request.method == .delete { faults.removeAll() }
        return try .json(["faults": faults.current])
    }

    /// Carries out a request, struck by the fault that is ordered for it, if any.
    func struck(_ path: Fault.Path, _ request: Request, _ work: () async throws -> Reply) async throws -> Response {
        guard let fault = faults.take(path) else {
            let reply = try await answer(work)
            return request.method == .head ? reply.headResponse : reply.response
        }
        logger.info("fault", metadata: ["path": "\(path.rawValue)"])
        let done = fault.after == true ? try await answer(work) : nil
        await stall(fault.delayMilliseconds ?? 0)
        let reply: Reply
        if let status = fault.status {
            try await request.drain(unless: done != nil)
            reply = try .error(APIError(status, status == 423 ? "Resource is locked" : "Fault on demand"))
        } else if let done {
            reply = done
        } else if fault.cut == true {
            try await request.drain(unless: false)
            reply = try .json(["result": "cut on demand, before the request was carried out"])
        } else {
            reply = try await answer(work)
        }
        if request.method == .head { return reply.headResponse }
        return fault.cut == true ? reply.cutResponse : reply.response
    }

    /// Waits, but not while the server stops.
    private func stall(_ milliseconds: Int) async {
        guard milliseconds > 0 else { return }
        // A sleep that is cancelled has only ended early.
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .milliseconds(milliseconds)) }
    }
}

extension Request {
    /// Reads the rest of a body that nobody has read yet, so that a client which still sends is not cut off.
    fileprivate func drain(unless read: Bool) async throws {
        if !read { try await drain() }
    }
}
