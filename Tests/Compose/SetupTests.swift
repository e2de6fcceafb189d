import Foundation
import Glibc
import Testing

@Suite("Container set-up")
struct SetupTests {
    /// Folders in the place of the volumes of `setup`, and runs of it on them.
    private final class Volumes {
        static let containers: [String: Set<String>] = [
            "rabbitmq": ["rabbitmq.conf", "definitions/1-users.json", "definitions/2-warren.json"],
            "postgres": ["password", "pg_hba.conf", "roles.sql"], "redis": ["password", "redis.conf"],
            "ingress": ["amqp.url", "redis.url", "jwks.json"],
            "identity": ["amqp.url", "redis.url", "database.url", "signing-key.pem"],
            "post": ["amqp.url", "redis.url", "database.url"],
            "media": ["amqp.url", "redis.url", "database.url", "cloudinary.url"],
            "search": ["amqp.url", "redis.url", "database.url"], "cloudinary-local": ["secret"],
        ]

        let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            for name in Self.containers.keys { try folder.makeFolder("out/\(name)") }
        }

        func setup(_ arguments: [String] = [], changes: [String: String] = [:]) async throws -> Repository.Ended {
            // Only root can give a file to any group.
            let own = "\(getgid())"
            let groups = getuid() == 0 ? [:] : ["WARREN_OWN_GROUP": own, "WARREN_OFFICIAL_GROUP": own]
            return try await Repository.run(
                Repository.path("compose/setup"), arguments,
                [
                    "WARREN_STATE": folder.path("state"), "WARREN_OUT": folder.path("out"), "CLOUDINARY_URL": "",
                    "WARREN_PROGRAM": try Repository.program("warren"), "WARREN_AMQP_PORT": "5999",
                ].merging(groups) { $1 }.merging(changes) { $1 })
        }

        func succeed(_ arguments: [String] = [], changes: [String: String] = [:]) async throws {
            let ended = try await setup(arguments, changes: changes)
            try #require(ended.status == 0, "\(ended.errors)")
        }

        func text(_ name: String) throws -> String { try folder.text("out/\(name)") }

        /// Returns the files of a container with their texts, but without those of salted passwords, which differ at
        /// each run.
        func files(_ container: String) throws -> [String: String] {
            var files: [String: String] = [:]
            for name in try folder.contents("out/\(container)") where name != "definitions" {
                files[name] = name.hasSuffix("users.json") ? "" : try text("\(container)/\(name)")
            }
            return files
        }

        func all() throws -> [String: [String: String]] {
            try Dictionary(uniqueKeysWithValues: Self.containers.keys.map { ($0, try files($0)) })
        }

        func attributes(_ name: String) throws -> stat {
            var result = stat()
            try #require(lstat(folder.path(name), &result) == 0)
            return result
        }
    }

    @Test("each container gets the files that it needs and no others, readable by its group only")
    func hands() async throws {
        let volumes = try Volumes()
        try await volumes.succeed()
        for (container, names) in Volumes.containers {
            #expect(Set(try volumes.files(container).keys) == names, "\(container)")
            for name in names {
                let file = try volumes.attributes("out/\(container)/\(name)")
                #expect(file.st_mode & 0o7777 == 0o440, "\(container)/\(name)")
                guard getuid() == 0 else { continue }
                #expect(file.st_uid == 0)
                #expect(file.st_gid == (["rabbitmq", "postgres", "redis"].contains(container) ? 999 : 10001))
            }
        }
        for name in try volumes.folder.contents("state") {
            let mode = try volumes.attributes("state/\(name)").st_mode
            // The public keys are not secret.
            #expect(mode & 0o077 == 0 || name.hasSuffix("jwks.json"), "\(name)")
        }
    }

    @Test("each service has its own passwords, which only its container and the server see")
    func passwords() async throws {
        let volumes = try Volumes()
        try await volumes.succeed()
        var passwords: Set<String> = []
        for service in ["ingress", "identity", "post", "media", "search"] {
            let url = try #require(URLComponents(string: try volumes.text("\(service)/amqp.url")))
            #expect(url.user == service && url.host == "rabbitmq" && url.path == "/warren")
            let password = try #require(url.password)
            #expect(password.count >= 32 && passwords.insert(password).inserted)
            for (other, files) in try volumes.all() where other != service {
                #expect(files.values.allSatisfy { !$0.contains(password) }, "\(other) has a password of \(service)")
            }
        }
        for service in ["identity", "post", "media", "search"] {
            let url = try #require(URLComponents(string: try volumes.text("\(service)/database.url")))
            #expect(url.user == service && url.host == "postgres" && url.path == "/\(service)")
            let password = try #require(url.password)
            #expect(password.count >= 32 && passwords.insert(password).inserted)
            for (other, files) in try volumes.all() where other != service && other != "postgres" {
                #expect(files.values.allSatisfy { !$0.contains(password) }, "\(other) has a password of \(service)")
            }
        }
    }

    @Test("a second set-up changes no secret")
    func again() async throws {
        let volumes = try Volumes()
        try await volumes.succeed()
        let first = try volumes.all()
        try await volumes.succeed()
        #expect(try volumes.all() == first)
    }

    @Test("a key rotation gives the ingress the next public key before identity signs with it")
    func keys() async throws {
        let volumes = try Volumes()
        try await volumes.succeed()
        let (signing, known) = (try volumes.text("identity/signing-key.pem"), try volumes.text("ingress/jwks.json"))
        try await volumes.succeed(["keys", "prepare"])
        #expect(try volumes.text("identity/signing-key.pem") == signing)
        let both = try Repository.all(#""kid":"([^"]+)""#, in: volumes.text("ingress/jwks.json"))
        #expect(try both.count == 2 && both.isSuperset(of: Repository.all(#""kid":"([^"]+)""#, in: known)))
        try await volumes.succeed(["keys", "rotate"])
        #expect(try volumes.text("identity/signing-key.pem") != signing)
        #expect(try Repository.all(#""kid":"([^"]+)""#, in: volumes.text("ingress/jwks.json")) == both)
        #expect(try Set(volumes.files("identity").keys) == Volumes.containers["identity"])
    }

    @Test("rotating a password changes only the one that is named")
    func rotates() async throws {
        let volumes = try Volumes()
        try await volumes.succeed()
        let before = try volumes.all()
        try await volumes.succeed(["rotate", "post"])
        let rotated = try volumes.all()
        #expect(rotated["post"]?["amqp.url"] != before["post"]?["amqp.url"])
        #expect(rotated["post"]?["database.url"] != before["post"]?["database.url"])
        for name in ["ingress", "identity", "media", "search", "redis", "cloudinary-local"] {
            #expect(rotated[name] == before[name], "\(name)")
        }
        #expect(try await volumes.setup(["rotate", "nobody"]).status == 1)
        #expect(try await volumes.setup(["rotate"]).status == 64)
    }

    @Test("only media gets the account at Cloudinary that CLOUDINARY_URL names")
    func cloudinary() async throws {
        let volumes = try Volumes()
        try await volumes.succeed(changes: ["CLOUDINARY_URL": "cloudinary://key:secret@cloud"])
        #expect(try volumes.text("media/cloudinary.url") == "cloudinary://key:secret@cloud")
        for (name, files) in try volumes.all() where name != "media" {
            #expect(files.values.allSatisfy { !$0.contains("key:secret") }, "\(name)")
        }
        try await volumes.succeed()
        #expect(try volumes.text("media/cloudinary.url").hasSuffix("?upload_prefix=http://cloudinary-local:17480"))
    }

    @Test("env prints the addresses on the host, and fails before the first set-up")
    func addresses() async throws {
        let volumes = try Volumes()
        #expect(try await volumes.setup(["env"]).status == 1)
        try await volumes.succeed()
        let printed = try await volumes.setup(["env"]).text
        #expect(printed.contains("export WARREN_URL=http://127.0.0.1:8080\n"))
        #expect(printed.contains("export WARREN_INTEGRATOR_URL=amqp://integrator:"))
        #expect(printed.contains("@127.0.0.1:5999/warren"))
    }

    @Test("a missing volume is named")
    func missing() async throws {
        let volumes = try Volumes()
        try FileManager.default.removeItem(atPath: volumes.folder.path("out/media"))
        let ended = try await volumes.setup()
        #expect(ended.status != 0)
        #expect(ended.errors.contains("no volume is mounted at"))
    }
}
