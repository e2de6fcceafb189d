internal import CCurl
internal import Reactor

/// One request in flight: its easy handle, and the memory that the handle refers to until it is freed.
@Loop final class CurlTransfer {
    /// The easy handle; `nil` after it was freed.
    private(set) var easy: UnsafeMutableRawPointer?
    let receiver: CurlReceiver
    var bodies: [CurlBody] = []
    var headerList: UnsafeMutablePointer<curl_slist>?
    var mime: OpaquePointer?
    private let errorText: UnsafeMutablePointer<CChar>
    /// Ends with the transfer, or without a result when the task that waits is cancelled.
    let completion = Waiter<Result<HTTPResponse, CurlError>>()

    init(_ request: HTTPRequest) throws(CurlError) {
        receiver = CurlReceiver(maximumSize: request.maximumResponseSize)
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
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
        errorText.deallocate()
    }

    func setPointer(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) throws(CurlError) {
        try check(warren_easy_set_pointer(easy, option, value))
    }

    func setLong(_ option: CURLoption, _ value: Int) throws(CurlError) {
        try check(warren_easy_set_long(easy, option, value))
    }

    /// Sets a string option. libcurl copies the string (CURLOPT_URL(3): "strings are copied").
    func setString(_ option: CURLoption, _ value: String) throws(CurlError) {
        try check(warren_easy_set_string(easy, option, value))
    }

    func check(_ code: CURLcode, fileID: StaticString = #fileID, line: UInt = #line) throws(CurlError) {
        guard code == CURLE_OK else { throw CurlError(code, fileID: fileID, line: line) }
    }

    /// Makes libcurl write error messages into the transfer's buffer, which is freed after the easy handle
    /// (CURLOPT_ERRORBUFFER(3): "keep the associated buffer available until libcurl no longer needs it").
    func useErrorText() throws(CurlError) {
        try setPointer(CURLOPT_ERRORBUFFER, errorText)
    }

    // MARK: Completion

    /// Ends the transfer with the response or with the error of a code of libcurl.
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
            end(.failure(CurlError(code, detail: String(cString: errorText))))
        }
    }

    /// Frees the easy handle and resumes the waiting task. Only the first result counts.
    func end(_ result: Result<HTTPResponse, CurlError>) {
        free()
        completion.resume(returning: result)
    }

    private func free() {
        // The easy handle goes first, because it refers to the rest (CURLOPT_HTTPHEADER(3), CURLOPT_MIMEPOST(3)).
        curl_easy_cleanup(easy)
        easy = nil
        curl_mime_free(mime)
        mime = nil
        curl_slist_free_all(headerList)
        headerList = nil
        bodies = []
    }
}
