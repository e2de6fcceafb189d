import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle

extension CloudinaryResponder {
    /// `/faults`: returns the current rules, after `PUT` has replaced them or `DELETE` has removed them.
    func handleFaults(_ request: Request) async throws -> APIReply {
        try require(request, .put, .get, .delete)
        if request.method == .put { try faults.replace(json: try await request.bytes(upTo: 64 << 10)) }
        if request.method == .delete { faults.removeAll() }
        return try .json(["faults": faults.current])
    }

    /// Responds to a request with the reply of `body`, and applies the first fault rule that matches the request.
    func applyingFaults(
        _ path: FaultRule.Path, _ request: Request, _ body: () async throws -> APIReply
    ) async throws -> Response {
        guard let rule = faults.takeMatch(for: path) else {
            let reply = try await catchingErrors(body)
            return request.method == .head ? reply.headResponse : reply.response
        }
        logger.info("a fault rule matches the request", metadata: ["path": "\(path.rawValue)"])
        let replyBeforeFault = rule.after == true ? try await catchingErrors(body) : nil
        await delay(rule.delayMilliseconds ?? 0)
        let reply: APIReply
        if let status = rule.status {
            // If the body were not read, a client that is still sending it would get a connection reset instead of the
            // response.
            if replyBeforeFault == nil { try await request.drain() }
            reply = try .error(APIError(status, status == 423 ? "Resource is locked" : "Fault on demand"))
        } else if let replyBeforeFault {
            reply = replyBeforeFault
        } else if rule.cut == true {
            try await request.drain()
            reply = try .json(["result": "cut on demand, before the request was carried out"])
        } else {
            reply = try await catchingErrors(body)
        }
        if request.method == .head { return reply.headResponse }
        return rule.cut == true ? reply.cutResponse : reply.response
    }

    /// Waits for a number of milliseconds, or until the server is stopped.
    private func delay(_ milliseconds: Int) async {
        guard milliseconds > 0 else { return }
        // The error is ignored, because a cancelled sleep only ends early.
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .milliseconds(milliseconds)) }
    }
}
