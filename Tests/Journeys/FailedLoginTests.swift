import Contracts
import Reactor
import Testing

extension Journeys {
    @Suite("Failed logins", .timeLimit(.minutes(2))) struct FailedLogins {
        @Test(
            "after ten failed logins an account's logins are delayed but succeed; other accounts are not delayed"
        )
        @Loop func owner() async throws {
            let client = try APIClient()
            let (owner, other) = try await (TestAccount.register(client), TestAccount.register(client))
            let wrong: JSON = ["email": .string(owner.email), "password": "not the password"]
            for _ in 0..<10 {
                try await client.post("/v1/auth/login", wrong).expectProblem(401, "invalid-credentials")
            }
            // A worker delays at most 32 logins at a time.
            try await withThrowingTaskGroup(of: APIResponse.self) { guesses in
                for _ in 0..<48 { guesses.addTask { try await client.post("/v1/auth/login", wrong) } }
                let start = ContinuousClock.now
                try await client.post("/v1/auth/login", other.credentials).expect(200)
                try await client.post("/v1/auth/login", owner.credentials).expect(200)
                #expect(ContinuousClock.now - start < .seconds(10))
                for try await guess in guesses { try guess.expectProblem(401, "invalid-credentials") }
            }
            // Without the guesses, a login is delayed for the whole two seconds.
            let start = ContinuousClock.now
            try await client.post("/v1/auth/login", owner.credentials).expect(200)
            #expect((.seconds(2) ..< .seconds(5)).contains(ContinuousClock.now - start))
        }

        @Test(
            "failed logins of an unknown account are delayed like those of an existing one"
        )
        @Loop func unknown() async throws {
            let client = try APIClient()
            let unknown: JSON = ["email": .string("\(randomWord(12))@example.org"), "password": "not the password"]
            var first: JSON?
            for _ in 0..<10 {
                let response = try await client.post("/v1/auth/login", unknown)
                first = try first ?? response.expectProblem(401, "invalid-credentials")
            }
            let start = ContinuousClock.now
            let slowed = try await client.post("/v1/auth/login", unknown).expectProblem(401, "invalid-credentials")
            #expect(ContinuousClock.now - start >= .seconds(2))
            #expect(slowed["detail"] == first?["detail"])
        }
    }
}
