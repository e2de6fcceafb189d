internal import CCurl
internal import Reactor

/// One request in flight: its easy handle, and the memory that must stay allocated until the handle is freed.
@Loop final class CurlTransfer {
    /// The easy handle; `nil` after it has been freed.
    private(set) var easy: UnsafeMutableRawPointer?
    let receiver: CurlReceiver
    var bodies: [CurlBody] = []
    var headerList: UnsafeMutablePointer<curl_slist>?
    var mime: OpaquePointer?
    private let errorBuffer: UnsafeMutablePointer<CChar>
    /// Receives the transfer's result. If the waiting task is cancelled, the wait ends without a result.
    let completion = Waiter<Result<HTTPResponse, CurlError>>()

    init(_ request: HTTPRequest) throws(CurlError) {
        receiver = CurlReceiver(maximumSize: request.maximumResponseSize)
        errorBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        easy = curl_easy_init()
        guard easy != nil else {
            free()
            throw CurlError(CURLE_OUT_OF_MEMORY)
        }
        do throws(CurlError) {
            try configure(request)
        } catch {
            free()
            throw error
        }
    }

    isolated deinit {
        free()
        errorBuffer.deallocate()
    }

    func setPointer(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) throws(CurlError) {
        try check(warren_easy_set_pointer(easy, option, value))
    }

    func setLong(_ option: CURLoption, _ value: Int) throws(CurlError) {
        try check(warren_easy_set_long(easy, option, value))
    }

    /// Sets a string option. libcurl copies the string of every option except CURLOPT_POSTFIELDS (curl_easy_setopt(3)).
    func setString(_ option: CURLoption, _ value: String) throws(CurlError) {
        try check(warren_easy_set_string(easy, option, value))
    }

    func check(_ code: CURLcode, fileID: StaticString = #fileID, line: UInt = #line) throws(CurlError) {
        guard code == CURLE_OK else { throw CurlError(code, fileID: fileID, line: line) }
    }

    /// Makes libcurl write error messages into the transfer's buffer. The buffer is freed after the easy handle
    /// (CURLOPT_ERRORBUFFER(3): "keep the associated buffer available until libcurl no longer needs it").
    func setErrorBuffer() throws(CurlError) {
        try setPointer(CURLOPT_ERRORBUFFER, errorBuffer)
    }

    // MARK: Completion

    /// Ends the transfer with the response if libcurl's code is `CURLE_OK`, otherwise with an error.
    ///
    /// The easy handle must have been removed from its multi handle (curl_multi_remove_handle(3)).
    func finish(_ code: CURLcode) {
        if code == CURLE_OK {
            var status = 0
            warren_easy_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
            end(.success(HTTPResponse(status: status, headers: receiver.headers, body: receiver.body)))
        } else if receiver.isTooLarge {
            end(.failure(CurlError(.tooLarge, "the response is larger than the request allows")))
        } else {
            let error = CurlError(code, detail: String(cString: errorBuffer))
            let isUnsent = [.couldNotConnect, .tls].contains(error.code)
            end(.failure(isUnsent && wasSent ? .lost(beforeAttempt: error) : error))
        }
    }

    /// Whether the request, or a part of it, was sent. If a connection that was used before breaks without a response,
    /// libcurl sends the request again on a new connection. CURLINFO_REQUEST_SIZE(3) is the sum of all attempts.
    private var wasSent: Bool {
        var size = 0
        warren_easy_get_long(easy, CURLINFO_REQUEST_SIZE, &size)
        return size > 0
    }

    /// Frees the easy handle and resumes the waiting task. Only the first result counts.
    func end(_ result: Result<HTTPResponse, CurlError>) {
        free()
        completion.resume(returning: result)
    }

    private func free() {
        // The easy handle is freed first, because it refers to the other objects (CURLOPT_HTTPHEADER(3),
        // CURLOPT_MIMEPOST(3)).
        curl_easy_cleanup(easy)
        easy = nil
        curl_mime_free(mime)
        mime = nil
        curl_slist_free_all(headerList)
        headerList = nil
        bodies = []
    }
}
