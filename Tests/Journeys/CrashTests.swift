import Contracts
import Glibc
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Crashes", .timeLimit(.minutes(3))) struct Crashes {
        @Test("if a worker is killed, nothing that got a 2xx is lost or repeated, and the other services keep serving")
        @Loop func workers() async throws {
            let stack = try Stack()
            let load = try await LoadGenerator()
            try await load.run {
                for service in Stack.workers {
                    try await Task.sleep(for: .seconds(1))
                    load.phase = "without \(service)"
                    try await stack.kill("\(service)-1", with: SIGKILL)
                    try await Task.sleep(for: .seconds(1))
                    try await stack.scale(service, 1)
                    load.phase = "after the restart of \(service)"
                }
            }
            for service in Stack.workers { load.expectServed("without \(service)", except: service) }
            load.expectServed("after the restart of search", except: nil)
            try await load.expectPromisesKept()
        }

        @Test("if the ingress is killed, nothing that got a 2xx is lost or repeated, and integrators are still served")
        @Loop func ingress() async throws {
            let stack = try Stack()
            let load = try await LoadGenerator()
            let person = load.accounts[0]
            try await IntegratorClient.run { integrator in
                try await load.run {
                    try await Task.sleep(for: .seconds(1))
                    load.phase = "without the ingress"
                    try await stack.kill("ingress-1", with: SIGKILL)
                    for _ in 0..<5 {
                        let reply = try await integrator.reply(
                            to: "post.create", ["content": "without HTTP"], isCommand: true, for: person)
                        #expect(reply.status == 201)
                        #expect(
                            try await integrator.reply(to: "search.posts", ["query": "x"], for: person).status == 200)
                    }
                    try await stack.scale("ingress", 1)
                    load.phase = "after the ingress's restart"
                    try await Task.sleep(for: .seconds(1))
                }
            }
            load.expectServed("after the ingress's restart", except: nil)
            try await load.expectPromisesKept()
        }

        @Test("if the broker is killed, no accepted command is lost, and all daemons reconnect without a restart")
        @Loop func broker() async throws {
            let stack = try Stack()
            let load = try await LoadGenerator()
            let pids = try Stack.daemons.map { try stack.pid("\($0)-1") }
            try await load.run {
                try await Task.sleep(for: .seconds(1))
                load.phase = "without the broker"
                try await stack.kill("rabbitmq-1", with: SIGKILL)
                let isUnavailable = try await eventually(within: .seconds(5)) {
                    try await load.client.get("/health/ready").status == 503
                }
                #expect(isUnavailable)
                let refused = try await load.client.signedIn(as: load.accounts[0]).createPost("without a broker")
                try refused.expectProblem(503, "unavailable")
                #expect(refused.header("Retry-After") != nil)
                try await stack.composeLocal("servers")
                try await expectService(load)
                load.phase = "after the broker's restart"
                try await Task.sleep(for: .seconds(2))
            }
            #expect(try Stack.daemons.map { try stack.pid("\($0)-1") } == pids)
            #expect(pids.allSatisfy(Stack.isAlive))
            let unexpected = load.calls.filter { ![0, 200, 201, 202, 503, 504].contains($0.status) }
            #expect(unexpected.isEmpty, "\(unexpected)")
            load.expectServed("after the broker's restart", except: nil)
            try await load.expectPromisesKept()
        }

        /// Waits until every service replies again.
        @Loop private func expectService(_ load: LoadGenerator) async throws {
            let client = load.client.signedIn(as: load.accounts[2])
            for path in ["/health/ready", "/v1/posts", "/v1/media", "/v1/search/posts?query=x", "/v1/accounts/me"] {
                let isServed = try await eventually(within: .seconds(30)) { try await client.get(path).status == 200 }
                #expect(isServed, "\(path)")
            }
        }
    }
}
