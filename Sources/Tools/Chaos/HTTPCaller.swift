import ChaosKit
import Contracts
import Curl
import Reactor

/// Sends requests to the ingresses, and records each call.
@Loop final class HTTPCaller {
    /// The time after which a request counts as lost. It exceeds every time limit of the ingress.
    private static let limit: Duration = .seconds(45)

    /// A request to the HTTP API.
    struct Request: Sendable {
        let service: ServiceName
        let method: String
        let path: String
        var headers: [(name: String, value: String)] = []
        var body: HTTPRequest.Body = .none
        /// The wanted status if it is not 200, 201 or 204.
        var wanted: Int?

        /// The method and the path, without ids and parameters.
        var name: String {
            let path = path.prefix { $0 != "?" }.split(separator: "/").map { $0.count > 20 ? "…" : $0 }
            let name = "\(method) /\(path.joined(separator: "/"))"
            return wanted.map { "\(name) for \($0)" } ?? name
        }
    }

    /// The addresses of the ingresses.
    var addresses: [String]
    /// The calls so far.
    var log = CallLog()
    /// How often each address has refused a connection.
    private(set) var refusals: [String: Int] = [:]
    private let curl: CurlClient
    private var turn = 0
    /// The requests that have no response yet, by their number.
    private var open: [Int: (call: String, began: ContinuousClock.Instant)] = [:]

    init(addresses: [String]) throws {
        self.addresses = addresses
        curl = try CurlClient(maximumConnections: 512)
    }

    func close() { curl.close() }

    /// Sends a request to one of the ingresses. If an ingress refuses the connection, the next one gets the request, as
    /// behind a load balancer.
    ///
    /// - Parameter isRecorded: whether the log gets the call.
    /// - Returns: the response; `nil` if none came.
    func send(_ request: Request, isRecorded: Bool = true) async -> HTTPResponse? {
        let began = ContinuousClock.now
        turn += 1
        let number = turn
        open[number] = (request.name, began)
        defer { open[number] = nil }
        var (reason, lastAddress) = ("", "")
        for index in addresses.indices {
            let address = addresses[(number + index) % addresses.count]
            var call = HTTPRequest(
                method: request.method, url: address + request.path, headers: request.headers, body: request.body,
                maximumResponseSize: 8 << 20)
            call.timeouts.total = Self.limit
            call.timeouts.lowSpeedTime = Self.limit
            do throws(CurlError) {
                let response = try await curl.perform(call)
                guard isRecorded else { return response }
                let hasRetryAfter = response.status != 503 || response.header("Retry-After") != nil
                record(
                    request, response.status, began, address, hasRetryAfter: hasRetryAfter,
                    reason: response.status < 400 ? nil : Self.problem(response))
                return response
            } catch {
                (reason, lastAddress) = ("\(error)", address)
                guard error.code == .couldNotConnect else { break }
                refusals[address, default: 0] += 1
            }
        }
        if isRecorded { record(request, nil, began, lastAddress, reason: reason) }
        return nil
    }

    /// Returns the status of a `GET` without recording the call; `nil` if no response came within 2 s.
    func status(of url: String) async -> Int? {
        var request = HTTPRequest(url: url)
        request.timeouts.total = .seconds(2)
        return try? await curl.perform(request).status
    }

    /// Returns the queues that the health check of an ingress names as missing.
    func missingQueues(_ address: String) async -> [String] {
        await health(address)?["missingQueues"]?.array?.compactMap(\.string) ?? []
    }

    /// Returns what an ingress says about its connections; `nil` if no response came within 2 s.
    func health(_ address: String) async -> JSON? {
        var request = HTTPRequest(url: "\(address)/health/ready")
        request.timeouts.total = .seconds(2)
        return (try? await curl.perform(request).body).flatMap { try? JSON.parse($0) }
    }

    /// Whether a request of this kind that began before an instant has no response yet.
    func isWaiting(for call: String, since instant: ContinuousClock.Instant) -> Bool {
        open.values.contains { $0.call == call && $0.began <= instant }
    }

    private func record(
        _ request: Request, _ status: Int?, _ began: ContinuousClock.Instant, _ address: String,
        hasRetryAfter: Bool = true, reason: String?
    ) {
        log.add(
            CallRecord(
                request.service, request.name, status: status, reason: reason, hasRetryAfter: hasRetryAfter,
                wanted: request.wanted, address: address, began: began, ended: .now))
    }

    /// Returns the code and the detail of a problem.
    private static func problem(_ response: HTTPResponse) -> String {
        guard let problem = try? JSON.parse(response.body), let code = problem["code"]?.string else {
            return String(decoding: response.body.prefix(200), as: UTF8.self)
        }
        return problem["detail"]?.string.map { "\(code): \($0)" } ?? code
    }
}

extension HTTPCaller.Request {
    /// Makes a request with an optional JSON body and the token of an account.
    init(
        _ service: ServiceName, _ method: String, _ path: String, json: JSON? = nil, body: HTTPRequest.Body = .none,
        token: String? = nil, key: String? = nil, headers: [(name: String, value: String)] = [], wanted: Int? = nil
    ) {
        var headers = headers
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        if let key { headers.append(("Idempotency-Key", key)) }
        if json != nil { headers.append(("Content-Type", "application/json")) }
        self.init(
            service: service, method: method, path: path, headers: headers,
            body: json.map { .bytes($0.serialized()) } ?? body, wanted: wanted)
    }
}
