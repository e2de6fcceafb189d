internal import CCurl
package import Reactor

/// An HTTP and HTTPS client. Its transfers run on the event loop and share a set of connections.
///
/// The client verifies certificates and does not follow redirects. Its owner calls ``close()``.
@Loop package final class CurlClient {
    private var multi: UnsafeMutableRawPointer?
    private var transfers: [UnsafeMutableRawPointer: CurlTransfer] = [:]
    private var watches: [Int32: LoopWatch] = [:]
    private var timer: LoopTimer?

    /// Initializes libcurl, once per process (curl_global_init(3)).
    private static let globalInitialization = warren_global_init()

    /// Makes a client. It connects with the first request.
    ///
    /// - Parameter maximumConnections: the maximum number of connections. Further requests wait for a connection,
    ///   within their own time limits.
    /// - Throws: ``CurlError`` if libcurl cannot be initialized, for example because of a lack of memory.
    package init(maximumConnections: Int = 64) throws(CurlError) {
        guard Self.globalInitialization == CURLE_OK else { throw CurlError(Self.globalInitialization) }
        multi = curl_multi_init()
        guard multi != nil else { throw CurlError(CURLE_OUT_OF_MEMORY) }
        // Not retained: libcurl calls back only from inside its own functions (libcurl-multi(3)). Only this class calls
        // these functions, and it does not call them after close().
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

    /// Sends a request and waits for the complete response. A response with an error status is returned as well.
    ///
    /// - Throws: ``CurlError``, with the code `cancelled` as soon as the task is cancelled.
    package func perform(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
        guard !Task.isCancelled else { throw CurlError(.cancelled, "the task was cancelled") }
        let transfer = try CurlTransfer(request)
        start(transfer)
        guard let result = await transfer.completion.wait() else {
            let error = CurlError(.cancelled, "the task was cancelled")
            abort(transfer, error)
            throw error
        }
        return try result.get()
    }

    /// Ends all transfers with the code `cancelled` and closes the connections. A second call does nothing.
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

    private func endFinishedTransfers() {
        var messagesLeft: Int32 = 0
        while let message = curl_multi_info_read(multi, &messagesLeft) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            // The message is invalid after its handle is removed (curl_multi_info_read(3)).
            let code = message.pointee.data.result
            curl_multi_remove_handle(multi, easy)
            transfers.removeValue(forKey: easy)?.finish(code)
        }
    }

    // MARK: Event loop

    private func socketIsReady(_ socket: Int32, _ readiness: Readiness) {
        var events: Int32 = 0
        if readiness.contains(.readable) { events |= CURL_CSELECT_IN }
        if readiness.contains(.writable) { events |= CURL_CSELECT_OUT }
        if readiness.contains(.failed) { events |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        curl_multi_socket_action(multi, socket, events, &running)
        endFinishedTransfers()
    }

    private func timerFired() {
        timer = nil
        var running: Int32 = 0
        curl_multi_socket_action(multi, CURL_SOCKET_BAD, 0, &running)
        endFinishedTransfers()
    }

    private static let timerChanged: curl_multi_timer_callback = { _, milliseconds, context in
        guard let context else { return 0 }
        let client = Unmanaged<CurlClient>.fromOpaque(context).takeUnretainedValue()
        Loop.assumeIsolated {
            client.timer?.cancel()
            // -1 cancels the timer (CURLMOPT_TIMERFUNCTION(3)).
            client.timer =
                milliseconds < 0
                ? nil : Loop.schedule(after: .milliseconds(milliseconds)) { [weak client] in client?.timerFired() }
        }
        return 0
    }

    private static let socketChanged: curl_socket_callback = { _, socket, action, context, _ in
        guard let context else { return 0 }
        let client = Unmanaged<CurlClient>.fromOpaque(context).takeUnretainedValue()
        return Loop.assumeIsolated { client.watch(socket, action) }
    }

    /// Starts, changes or ends the watch of a socket, as libcurl requests.
    ///
    /// - Returns: -1 if the socket cannot be watched. libcurl then fails all transfers of the client
    ///   (CURLMOPT_SOCKETFUNCTION(3)).
    private func watch(_ socket: Int32, _ action: Int32) -> Int32 {
        guard action != CURL_POLL_REMOVE else {
            watches.removeValue(forKey: socket)?.cancel()
            return 0
        }
        var interest: Readiness = []
        if action & CURL_POLL_IN != 0 { interest.insert(.readable) }
        if action & CURL_POLL_OUT != 0 { interest.insert(.writable) }
        if let watch = watches[socket] {
            if (try? watch.change(to: interest)) != nil { return 0 }
            // The socket was closed, and its descriptor was reused for a new socket, which epoll does not watch yet.
            watches.removeValue(forKey: socket)?.cancel()
        }
        do {
            watches[socket] = try Loop.watch(socket, for: interest) { [weak self] in self?.socketIsReady(socket, $0) }
            return 0
        } catch {
            return -1
        }
    }
}
