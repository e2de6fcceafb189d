import Contracts
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Accounts", .timeLimit(.minutes(2))) struct Accounts {
        @Test("registering gives a session, and takes a username and an email once, whatever their case")
        @Loop func register() async throws {
            let client = try Client()
            let name = "Hare-\(Fresh.word(12))"
            let session = try await client.post("/v1/auth/register", Person.registration(name, Fresh.word(20)))
                .expect(201)
            #expect(
                session.names == ["accessToken", "account", "expiresIn", "refreshToken", "tokenType"])
            #expect(session["account"]?.names == ["createdAt", "email", "id", "username"])
            #expect(session["account"]?["username"]?.string == name)
            #expect(session["tokenType"] == "Bearer")
            #expect(session["expiresIn"] == 900)

            let sameName: JSON = [
                "username": .string(name.uppercased()), "email": .string("\(Fresh.word(12))@example.org"),
                "password": .string(Fresh.word(20)),
            ]
            let sameEmail: JSON = [
                "username": .string(Fresh.word(12)), "email": .string("\(name.lowercased())@EXAMPLE.org"),
                "password": .string(Fresh.word(20)),
            ]
            for body in [sameName, sameEmail] {
                try await client.post("/v1/auth/register", body).expectProblem(409, "account-exists")
            }
        }

        @Test("all that is wrong with a registration is told at once, a common password among it")
        @Loop func invalid() async throws {
            let body: JSON = ["username": "\u{202E}nimda", "email": "nowhere", "password": "Password1", "admin": true]
            let problem = try await Client().post("/v1/auth/register", body).expectProblem(422, "invalid")
            let pointers = problem["errors"]?.array?.compactMap { $0["pointer"]?.string }.sorted()
            #expect(pointers == ["/admin", "/email", "/password", "/username"])
        }

        @Test("a wrong password and an unknown account are answered the same")
        @Loop func login() async throws {
            let client = try Client()
            let person = try await Person.register(client)
            let wrong: JSON = ["email": .string(person.email), "password": "not the password"]
            let unknown: JSON = ["email": .string("\(Fresh.word(12))@example.org"), "password": "not the password"]
            var answers: [JSON] = []
            for body in [wrong, unknown] {
                let answer = try await client.post("/v1/auth/login", body)
                let problem = try answer.expectProblem(401, "invalid-credentials")
                answers.append(["detail": problem["detail"] ?? nil, "title": problem["title"] ?? nil])
                #expect(problem.names == ["code", "detail", "status", "title", "traceId", "type"])
            }
            #expect(answers[0] == answers[1])
            try await client.post("/v1/auth/login", person.credentials).expect(200)
        }

        @Test(
            "eight refreshes at once, by two workers, give the same successor; it works, and one of nobody's does not")
        @Loop func refresh() async throws {
            let (stack, client) = (try Stack(), try Client())
            try await stack.scale("identity", 2)
            let person = try await Person.register(client)
            let body: JSON = ["refreshToken": .string(person.refreshToken)]
            let successors = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await client.post("/v1/auth/refresh", body).expect(200).text("refreshToken")
                    }
                }
                var successors: [String] = []
                for try await successor in group { successors.append(successor) }
                return successors
            }
            try await stack.scale("identity", 1)
            #expect(successors.count == 8)
            #expect(Set(successors).count == 1)
            let next: JSON = ["refreshToken": .string(successors[0])]
            try await client.post("/v1/auth/refresh", next).expect(200)
            try await client.post("/v1/auth/refresh", ["refreshToken": "nobody's"])
                .expectProblem(401, "invalid-refresh-token")
        }

        @Test("neither token is taken for the other")
        @Loop func confusion() async throws {
            let client = try Client()
            let person = try await Person.register(client)
            var confused = client
            confused.token = person.refreshToken
            let refused = try await confused.get("/v1/accounts/me")
            try refused.expectProblem(401, "invalid-token")
            #expect(refused.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
            try await client.post("/v1/auth/refresh", ["refreshToken": .string(String(person.accessToken.prefix(512)))])
                .expectProblem(401, "invalid-refresh-token")
        }

        @Test("logging out ends one session, everywhere all of them; an unknown token is answered alike")
        @Loop func logout() async throws {
            let client = try Client()
            let first = try await Person.register(client)
            let (second, third) = try await (logIn(client, first), logIn(client, first))
            try await client.post("/v1/auth/logout", ["refreshToken": .string(second)]).expect(204)
            try await client.post("/v1/auth/logout", ["refreshToken": "nobody's"]).expect(204)
            try await client.post("/v1/auth/refresh", ["refreshToken": .string(second)])
                .expectProblem(401, "invalid-refresh-token")
            let next = try await client.post("/v1/auth/refresh", ["refreshToken": .string(third)]).expect(200)

            let nobody = try await client.send("POST", "/v1/auth/logout-all")
            try nobody.expectProblem(401, "unauthenticated")
            #expect(nobody.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
            try await client.by(first).send("POST", "/v1/auth/logout-all").expect(204)
            for token in [first.refreshToken, third, try next.text("refreshToken")] {
                try await client.post("/v1/auth/refresh", ["refreshToken": .string(token)])
                    .expectProblem(401, "invalid-refresh-token")
            }
        }

        @Test("a password is changed by who knows the present one, for one that may be set, and ends every session")
        @Loop func password() async throws {
            let client = try Client()
            let person = try await Person.register(client)
            func change(_ current: String, _ new: String) async throws -> Answer {
                try await client.by(person).post(
                    "/v1/auth/password", ["currentPassword": .string(current), "newPassword": .string(new)])
            }
            try await change("not the password", Fresh.word(20)).expectProblem(401, "invalid-credentials")
            for refused in ["qwertyuiop", person.email.uppercased(), "short", String(repeating: "p", count: 129)] {
                let problem = try await change(person.password, refused).expectProblem(422, "invalid")
                #expect(problem["errors"]?.array?.map { $0["pointer"] } == ["/newPassword"])
            }
            let new = Fresh.word(20)
            try await change(person.password, new).expect(204)
            try await client.post("/v1/auth/refresh", ["refreshToken": .string(person.refreshToken)])
                .expectProblem(401, "invalid-refresh-token")
            try await client.post("/v1/auth/login", person.credentials).expectProblem(401, "invalid-credentials")
            try await client.post("/v1/auth/login", ["email": .string(person.email), "password": .string(new)])
                .expect(200)
        }

        /// - Returns: the refresh token.
        @Loop private func logIn(_ client: Client, _ person: Person) async throws -> String {
            try await client.post("/v1/auth/login", person.credentials).expect(200).text("refreshToken")
        }
    }
}

extension JSON {
    /// The names of an object's members, in order.
    fileprivate var names: [String]? {
        guard case .object(let object) = self else { return nil }
        return object.members.map(\.name).sorted()
    }
}
