internal import CCurl
internal import Reactor

/// One request under way: its easy handle, and everything that the handle points to until it is freed.
@Loop final class CurlTransfer {
    /// The easy handle; nil once it was freed.
    private(set) var easy: UnsafeMutableRawPointer?
    let receiver: CurlReceiver
    var bodies: [CurlBody] = []
    var headerList: UnsafeMutablePointer<curl_slist>?
    var mime: OpaquePointer?
    private let errorText: UnsafeMutablePointer<CChar>
    private var completed: ((Result<HTTPResponse, CurlError>) -> Void)?

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

    /// Sets a string, which libcurl copies (CURLOPT_URL(3): "strings are copied").
    func setString(_ option: CURLoption, _ value: String) throws(CurlError) {
        try check(warren_easy_set_string(easy, option, value))
    }

    func check(_ code: CURLcode) throws(CurlError) {
        guard code == CURLE_OK else { throw CurlError(code) }
    }

    func useErrorText() throws(CurlError) {
        try setPointer(CURLOPT_ERRORBUFFER, errorText)
    }

    // MARK: The end

    func begin(_ completed: @escaping (Result<HTTPResponse, CurlError>) -> Void) {
        self.completed = completed
    }

    /// Makes the response or the error of what libcurl ended with, frees the handle and tells who waits.
    ///
    /// The handle must have left its multi handle.
    func finish(_ code: CURLcode) {
        if code == CURLE_OK {
            var status = 0
            warren_easy_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
            end(.success(HTTPResponse(status: status, headers: receiver.headers, body: receiver.body)))
        } else if receiver.isTooLarge {
            end(.failure(CurlError(.tooLarge, "the response is larger than allowed")))
        } else {
            end(.failure(CurlError(code, detail: String(cString: errorText))))
        }
    }

    /// Frees the handle and tells who waits; only the first end counts.
    func end(_ outcome: Result<HTTPResponse, CurlError>) {
        free()
        completed?(outcome)
        completed = nil
    }

    private func free() {
        // The handle first: it points to the rest.
        curl_easy_cleanup(easy)
        easy = nil
        curl_mime_free(mime)
        mime = nil
        curl_slist_free_all(headerList)
        headerList = nil
        bodies = []
    }
}
