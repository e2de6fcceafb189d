import Contracts
import Reactor
import Testing

extension Journeys {
    @Suite("Failed logins", .timeLimit(.minutes(2))) struct FailedLogins {
        @Test("ten a minute slow an account's logins down, and its owner gets in all the same; nobody else notices")
        @Loop func owner() async throws {
            let client = try Client()
            let (owner, other) = try await (Person.register(client), Person.register(client))
            let wrong: JSON = ["email": .string(owner.email), "password": "not the password"]
            for _ in 0..<10 {
                try await client.post("/v1/auth/login", wrong).expectProblem(401, "invalid-credentials")
            }
            // Guesses go on, more at a time than are held up at once.
            try await withThrowingTaskGroup(of: Answer.self) { guesses in
                for _ in 0..<48 { guesses.addTask { try await client.post("/v1/auth/login", wrong) } }
                let start = ContinuousClock.now
                try await client.post("/v1/auth/login", other.credentials).expect(200)
                try await client.post("/v1/auth/login", owner.credentials).expect(200)
                #expect(ContinuousClock.now - start < .seconds(10))
                for try await guess in guesses { try guess.expectProblem(401, "invalid-credentials") }
            }
            // Without the others' pressing, a login waits its two seconds.
            let start = ContinuousClock.now
            try await client.post("/v1/auth/login", owner.credentials).expect(200)
            #expect((.seconds(2) ..< .seconds(5)).contains(ContinuousClock.now - start))
        }

        @Test("of an account that is not there are slowed down alike: that too tells nothing")
        @Loop func unknown() async throws {
            let client = try Client()
            let unknown: JSON = ["email": .string("\(Fresh.word(12))@example.org"), "password": "not the password"]
            var first: JSON?
            for _ in 0..<10 {
                let answer = try await client.post("/v1/auth/login", unknown)
                first = try first ?? answer.expectProblem(401, "invalid-credentials")
            }
            let start = ContinuousClock.now
            let slowed = try await client.post("/v1/auth/login", unknown).expectProblem(401, "invalid-credentials")
            #expect(ContinuousClock.now - start >= .seconds(2))
            #expect(slowed["detail"] == first?["detail"])
        }
    }
}
