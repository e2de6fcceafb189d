internal import CCurl
package import Reactor

/// A client for HTTP and HTTPS whose transfers all run on the loop and share their connections.
///
/// Certificates are verified, redirects are not followed. It belongs to whoever made it, who closes it.
@Loop package final class CurlClient {
    private var multi: UnsafeMutableRawPointer?
    private var transfers: [UnsafeMutableRawPointer: CurlTransfer] = [:]
    private var watches: [Int32: LoopWatch] = [:]
    private var timer: LoopTimer?

    /// libcurl's own set-up, once in a process (curl_global_init(3)).
    private static let globalInitialization = warren_global_init()

    /// Makes a client without connections.
    ///
    /// - Parameter maximumConnections: how many it holds at most; requests beyond them wait, within their own time.
    /// - Throws: ``CurlError`` where there is no memory.
    package init(maximumConnections: Int = 64) throws(CurlError) {
        guard Self.globalInitialization == CURLE_OK else { throw CurlError(Self.globalInitialization) }
        multi = curl_multi_init()
        guard multi != nil else { throw CurlError(CURLE_OUT_OF_MEMORY) }
        // libcurl calls back only inside its own functions, which only this class calls, and close() ends.
        let context = Unmanaged.passUnretained(self).toOpaque()
        for code in [
            warren_multi_set_socket(multi, Self.socketChanged, context),
            warren_multi_set_timer(multi, Self.timerChanged, context),
            warren_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, max(1, maximumConnections)),
            warren_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(1, maximumConnections)),
        ] {
            guard code == CURLM_OK else {
                curl_multi_cleanup(multi)
                multi = nil
                throw CurlError(code)
            }
        }
    }

    isolated deinit {
        close()
    }

    /// Sends a request and waits for the whole response; any status is a response.
    ///
    /// - Throws: ``CurlError``, with the code `cancelled` as soon as the task is cancelled.
    package func perform(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
        guard !Task.isCancelled else { throw CurlError(.cancelled, "the task was cancelled") }
        let transfer = try CurlTransfer(request)
        let outcome: Result<HTTPResponse, CurlError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.begin { continuation.resume(returning: $0) }
                start(transfer)
            }
        } onCancel: {
            Loop.perform { self.abort(transfer, CurlError(.cancelled, "the task was cancelled")) }
        }
        return try outcome.get()
    }

    /// Ends every transfer with the code `cancelled` and closes the connections; a second call does nothing.
    package func close() {
        guard let multi else { return }
        for transfer in Array(transfers.values) {
            abort(transfer, CurlError(.cancelled, "the client was closed"))
        }
        curl_multi_cleanup(multi)
        self.multi = nil
        for watch in watches.values { watch.cancel() }
        watches = [:]
        timer?.cancel()
        timer = nil
    }

    // MARK: Transfers

    private func start(_ transfer: CurlTransfer) {
        guard let multi, let easy = transfer.easy else {
            return transfer.end(.failure(CurlError(.cancelled, "the client was closed")))
        }
        let code = curl_multi_add_handle(multi, easy)
        guard code == CURLM_OK else { return transfer.end(.failure(CurlError(code))) }
        transfers[easy] = transfer
    }

    private func abort(_ transfer: CurlTransfer, _ error: CurlError) {
        guard let easy = transfer.easy, transfers.removeValue(forKey: easy) != nil else { return }
        curl_multi_remove_handle(multi, easy)
        transfer.end(.failure(error))
    }

    /// Takes over what libcurl has finished.
    private func collect() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            // The message is gone once its handle is removed.
            let code = message.pointee.data.result
            curl_multi_remove_handle(multi, easy)
            transfers.removeValue(forKey: easy)?.finish(code)
        }
    }

    // MARK: The loop

    private func act(on socket: Int32, _ readiness: Readiness) {
        var events: Int32 = 0
        if readiness.contains(.readable) { events |= CURL_CSELECT_IN }
        if readiness.contains(.writable) { events |= CURL_CSELECT_OUT }
        if readiness.contains(.failed) { events |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        curl_multi_socket_action(multi, socket, events, &running)
        collect()
    }

    private func timeIsUp() {
        timer = nil
        var running: Int32 = 0
        curl_multi_socket_action(multi, CURL_SOCKET_BAD, 0, &running)
        collect()
    }

    private static let timerChanged: curl_multi_timer_callback = { _, milliseconds, context in
        guard let context else { return 0 }
        let client = Unmanaged<CurlClient>.fromOpaque(context).takeUnretainedValue()
        Loop.assumeIsolated {
            client.timer?.cancel()
            // -1 takes the timer back (CURLMOPT_TIMERFUNCTION(3)).
            client.timer =
                milliseconds < 0
                ? nil : Loop.schedule(after: .milliseconds(milliseconds)) { [weak client] in client?.timeIsUp() }
        }
        return 0
    }

    private static let socketChanged: curl_socket_callback = { _, socket, what, context, _ in
        guard let context else { return 0 }
        let client = Unmanaged<CurlClient>.fromOpaque(context).takeUnretainedValue()
        return Loop.assumeIsolated { client.watch(socket, what) }
    }

    /// - Returns: -1 where the socket cannot be watched, which makes libcurl fail its transfers.
    private func watch(_ socket: Int32, _ what: Int32) -> Int32 {
        guard what != CURL_POLL_REMOVE else {
            watches.removeValue(forKey: socket)?.cancel()
            return 0
        }
        var interest: Readiness = []
        if what & CURL_POLL_IN != 0 { interest.insert(.readable) }
        if what & CURL_POLL_OUT != 0 { interest.insert(.writable) }
        if let watch = watches[socket] {
            if (try? watch.change(to: interest)) != nil { return 0 }
            // The number has come back for another socket, which epoll does not know yet.
            watches.removeValue(forKey: socket)?.cancel()
        }
        do {
            watches[socket] = try Loop.watch(socket, for: interest) { [weak self] in self?.act(on: socket, $0) }
            return 0
        } catch {
            return -1
        }
    }
}
