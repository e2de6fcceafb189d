import Contracts
import Glibc
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Crashes", .timeLimit(.minutes(3))) struct Crashes {
        @Test("kill -9 of each worker in turn: no 2xx is lost, nothing is done twice, the rest keeps serving")
        @Loop func workers() async throws {
            let stack = try Stack()
            let crowd = try await Crowd()
            try await crowd.work {
                for service in Stack.workers {
                    try await Task.sleep(for: .seconds(1))
                    crowd.phase = "without \(service)"
                    try await stack.end("\(service)-1", SIGKILL)
                    try await Task.sleep(for: .seconds(1))
                    try await stack.scale(service, 1)
                    crowd.phase = "\(service) is back"
                }
            }
            for service in Stack.workers { crowd.expectServed("without \(service)", besides: service) }
            crowd.expectServed("search is back", besides: "")
            try await crowd.expectPromisesKept()
        }

        @Test("kill -9 of the ingress: no 2xx is lost, nothing is done twice, integrators keep being served")
        @Loop func ingress() async throws {
            let stack = try Stack()
            let crowd = try await Crowd()
            let person = crowd.people[0]
            try await Integrator.run { integrator in
                try await crowd.work {
                    try await Task.sleep(for: .seconds(1))
                    crowd.phase = "without the ingress"
                    try await stack.end("ingress-1", SIGKILL)
                    for _ in 0..<5 {
                        let reply = try await integrator.call(
                            "post.create", ["content": "without HTTP"], isCommand: true, by: person)
                        #expect(reply.status == 201)
                        #expect(try await integrator.call("search.posts", ["query": "x"], by: person).status == 200)
                    }
                    try await stack.scale("ingress", 1)
                    crowd.phase = "the ingress is back"
                    try await Task.sleep(for: .seconds(1))
                }
            }
            crowd.expectServed("the ingress is back", besides: "")
            try await crowd.expectPromisesKept()
        }

        @Test("kill -9 of the broker: daemons come back by themselves, and no accepted command is lost")
        @Loop func broker() async throws {
            let stack = try Stack()
            let crowd = try await Crowd()
            let pids = try Stack.daemons.map { try stack.pid("\($0)-1") }
            try await crowd.work {
                try await Task.sleep(for: .seconds(1))
                crowd.phase = "without the broker"
                try await stack.end("rabbitmq-1", SIGKILL)
                let isUnavailable = try await eventually(within: .seconds(5)) {
                    try await crowd.client.get("/health/ready").status == 503
                }
                #expect(isUnavailable)
                let refused = try await crowd.client.by(crowd.people[0]).write("into the void")
                try refused.expectProblem(503, "unavailable")
                #expect(refused.header("Retry-After") != nil)
                try await stack.compose("servers")
                try await expectService(crowd)
                crowd.phase = "the broker is back"
                try await Task.sleep(for: .seconds(2))
            }
            #expect(try Stack.daemons.map { try stack.pid("\($0)-1") } == pids)
            #expect(pids.allSatisfy(Stack.isAlive))
            let odd = crowd.entries.filter { ![0, 200, 201, 202, 503, 504].contains($0.status) }
            #expect(odd.isEmpty)
            crowd.expectServed("the broker is back", besides: "")
            try await crowd.expectPromisesKept()
        }

        /// Wants every service to answer again.
        @Loop private func expectService(_ crowd: Crowd) async throws {
            let client = crowd.client.by(crowd.people[2])
            for path in ["/health/ready", "/v1/posts", "/v1/media", "/v1/search/posts?query=x", "/v1/accounts/me"] {
                let isServed = try await eventually(within: .seconds(30)) { try await client.get(path).status == 200 }
                #expect(isServed, "\(path)")
            }
        }
    }
}
