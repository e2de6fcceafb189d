import Contracts
import LocalStack
import Reactor
import TestSupport
import Testing

extension Journeys {
    @Suite("Accounts", .timeLimit(.minutes(2))) struct Accounts {
        @Test("a registration gets 201, or 409 if its username or email differs from an existing one in case only")
        @Loop func register() async throws {
            let client = try APIClient()
            let name = "Hare-\(randomWord(12))"
            let session = try await client.post("/v1/auth/register", TestAccount.registration(name, randomWord(20)))
                .expect(201)
            #expect(
                session.names == ["accessToken", "account", "expiresIn", "refreshToken", "tokenType"])
            #expect(session["account"]?.names == ["createdAt", "email", "id", "username"])
            #expect(session["account"]?["username"]?.string == name)
            #expect(session["tokenType"] == "Bearer")
            #expect(session["expiresIn"] == 900)

            let sameName: JSON = [
                "username": .string(name.uppercased()), "email": .string("\(randomWord(12))@example.org"),
                "password": .string(randomWord(20)),
            ]
            let sameEmail: JSON = [
                "username": .string(randomWord(12)), "email": .string("\(name.lowercased())@EXAMPLE.org"),
                "password": .string(randomWord(20)),
            ]
            for body in [sameName, sameEmail] {
                try await client.post("/v1/auth/register", body).expectProblem(409, "account-exists")
            }
        }

        @Test("an invalid registration gets 422 with all faults at once, including a common password")
        @Loop func invalid() async throws {
            let body: JSON = ["username": "\u{202E}nimda", "email": "nowhere", "password": "Password1", "admin": true]
            let problem = try await APIClient().post("/v1/auth/register", body).expectProblem(422, "invalid")
            let pointers = problem["errors"]?.array?.compactMap { $0["pointer"]?.string }.sorted()
            #expect(pointers == ["/admin", "/email", "/password", "/username"])
        }

        @Test("a login with a wrong password and a login with an unknown email get the same 401")
        @Loop func login() async throws {
            let client = try APIClient()
            let person = try await TestAccount.register(client)
            let wrong: JSON = ["email": .string(person.email), "password": "not the password"]
            let unknown: JSON = ["email": .string("\(randomWord(12))@example.org"), "password": "not the password"]
            var problems: [JSON] = []
            for body in [wrong, unknown] {
                let response = try await client.post("/v1/auth/login", body)
                let problem = try response.expectProblem(401, "invalid-credentials")
                problems.append(["detail": problem["detail"] ?? nil, "title": problem["title"] ?? nil])
                #expect(problem.names == ["code", "detail", "status", "title", "traceId", "type"])
            }
            #expect(problems[0] == problems[1])
            try await client.post("/v1/auth/login", person.credentials).expect(200)
        }

        @Test(
            "eight concurrent refreshes of one token with two workers get the same new token; an unknown token gets 401"
        )
        @Loop func refresh() async throws {
            let (stack, client) = (try Stack(), try APIClient())
            try await stack.scale("identity", 2)
            let person = try await TestAccount.register(client)
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
            try await client.post("/v1/auth/refresh", ["refreshToken": "unknown"])
                .expectProblem(401, "invalid-refresh-token")
        }

        @Test("a refresh token used as an access token gets 401, and so does an access token used as a refresh token")
        @Loop func confusion() async throws {
            let client = try APIClient()
            let person = try await TestAccount.register(client)
            var confused = client
            confused.token = person.refreshToken
            let refused = try await confused.get("/v1/accounts/me")
            try refused.expectProblem(401, "invalid-token")
            #expect(refused.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
            try await client.post("/v1/auth/refresh", ["refreshToken": .string(String(person.accessToken.prefix(512)))])
                .expectProblem(401, "invalid-refresh-token")
        }

        @Test("logout ends one session and logout-all every session; logout with an unknown token gets 204 as well")
        @Loop func logout() async throws {
            let client = try APIClient()
            let first = try await TestAccount.register(client)
            let (second, third) = try await (logIn(client, first), logIn(client, first))
            try await client.post("/v1/auth/logout", ["refreshToken": .string(second)]).expect(204)
            try await client.post("/v1/auth/logout", ["refreshToken": "unknown"]).expect(204)
            try await client.post("/v1/auth/refresh", ["refreshToken": .string(second)])
                .expectProblem(401, "invalid-refresh-token")
            let next = try await client.post("/v1/auth/refresh", ["refreshToken": .string(third)]).expect(200)

            let anonymous = try await client.send("POST", "/v1/auth/logout-all")
            try anonymous.expectProblem(401, "unauthenticated")
            #expect(anonymous.header("WWW-Authenticate")?.hasPrefix("Bearer") == true)
            try await client.signedIn(as: first).send("POST", "/v1/auth/logout-all").expect(204)
            for token in [first.refreshToken, third, try next.text("refreshToken")] {
                try await client.post("/v1/auth/refresh", ["refreshToken": .string(token)])
                    .expectProblem(401, "invalid-refresh-token")
            }
        }

        @Test("a password change ends every session; a wrong password gets 401, and a bad new password gets 422")
        @Loop func password() async throws {
            let client = try APIClient()
            let person = try await TestAccount.register(client)
            func change(_ current: String, _ new: String) async throws -> APIResponse {
                try await client.signedIn(as: person).post(
                    "/v1/auth/password", ["currentPassword": .string(current), "newPassword": .string(new)])
            }
            try await change("not the password", randomWord(20)).expectProblem(401, "invalid-credentials")
            for refused in ["qwertyuiop", person.email.uppercased(), "short", String(repeating: "p", count: 129)] {
                let problem = try await change(person.password, refused).expectProblem(422, "invalid")
                #expect(problem["errors"]?.array?.map { $0["pointer"] } == ["/newPassword"])
            }
            let new = randomWord(20)
            try await change(person.password, new).expect(204)
            try await client.post("/v1/auth/refresh", ["refreshToken": .string(person.refreshToken)])
                .expectProblem(401, "invalid-refresh-token")
            try await client.post("/v1/auth/login", person.credentials).expectProblem(401, "invalid-credentials")
            try await client.post("/v1/auth/login", ["email": .string(person.email), "password": .string(new)])
                .expect(200)
        }

        /// Logs in and returns the refresh token.
        @Loop private func logIn(_ client: APIClient, _ person: TestAccount) async throws -> String {
            try await client.post("/v1/auth/login", person.credentials).expect(200).text("refreshToken")
        }
    }
}

extension JSON {
    /// The names of an object's members, sorted; nil for another value.
    fileprivate var names: [String]? {
        guard case .object(let object) = self else { return nil }
        return object.members.map(\.name).sorted()
    }
}
