import Foundation
import Glibc
import Testing

@Suite("The set-up of containers")
struct SetupTests {
    /// Folders like the volumes that `setup` has, and runs of it on them.
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

        let folder = FileManager.default.temporaryDirectory.appending(path: "setup-\(UUID().uuidString)")

        init() throws {
            for name in Self.containers.keys {
                try FileManager.default.createDirectory(
                    at: folder.appending(path: "out/\(name)"), withIntermediateDirectories: true)
            }
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func setup(_ arguments: [String] = [], changes: [String: String] = [:]) throws -> Repository.Ended {
            // Only root may hand a file to any group.
            let own = "\(getgid())"
            let groups = getuid() == 0 ? [:] : ["WARREN_OWN_GROUP": own, "WARREN_OFFICIAL_GROUP": own]
            return try Repository.run(
                Repository.path("compose/setup"), arguments,
                [
                    "WARREN_STATE": path("state"), "WARREN_OUT": path("out"), "CLOUDINARY_URL": "",
                    "WARREN_PROGRAM": try Repository.program("warren"), "WARREN_AMQP_PORT": "5999",
                ].merging(groups) { $1 }.merging(changes) { $1 })
        }

        func succeed(_ arguments: [String] = [], changes: [String: String] = [:]) throws {
            let ended = try setup(arguments, changes: changes)
            try #require(ended.status == 0, "\(ended.errors)")
        }

        func path(_ name: String) -> String { folder.appending(path: name).path(percentEncoded: false) }

        func text(_ name: String) throws -> String {
            try String(contentsOfFile: path("out/\(name)"), encoding: .utf8)
        }

        /// The files that a container sees, with what is in them, save what is salted anew each time.
        func handed(_ container: String) throws -> [String: String] {
            let names = try FileManager.default.subpathsOfDirectory(atPath: path("out/\(container)"))
            var files: [String: String] = [:]
            for name in names where name != "definitions" {
                files[name] = name.hasSuffix("users.json") ? "" : try text("\(container)/\(name)")
            }
            return files
        }

        func all() throws -> [String: [String: String]] {
            try Dictionary(uniqueKeysWithValues: Self.containers.keys.map { ($0, try handed($0)) })
        }

        func attributes(_ name: String) throws -> stat {
            var result = stat()
            try #require(lstat(path(name), &result) == 0)
            return result
        }
    }

    @Test("hands each container what it needs and no more, for its group to read and for nobody else")
    func hands() throws {
        let volumes = try Volumes()
        try volumes.succeed()
        for (container, names) in Volumes.containers {
            #expect(Set(try volumes.handed(container).keys) == names, "\(container)")
            for name in names {
                let file = try volumes.attributes("out/\(container)/\(name)")
                #expect(file.st_mode & 0o7777 == 0o440, "\(container)/\(name)")
                guard getuid() == 0 else { continue }
                #expect(file.st_uid == 0)
                #expect(file.st_gid == (["rabbitmq", "postgres", "redis"].contains(container) ? 999 : 10001))
            }
        }
        for name in try FileManager.default.subpathsOfDirectory(atPath: volumes.path("state")) {
            let mode = try volumes.attributes("state/\(name)").st_mode
            // The public keys are anyone's.
            #expect(mode & 0o077 == 0 || name.hasSuffix("jwks.json"), "\(name)")
        }
    }

    @Test("gives each its own password, in no other container's files but the server's")
    func passwords() throws {
        let volumes = try Volumes()
        try volumes.succeed()
        var passwords: Set<String> = []
        for service in ["ingress", "identity", "post", "media", "search"] {
            let url = try #require(URLComponents(string: try volumes.text("\(service)/amqp.url")))
            #expect(url.user == service && url.host == "rabbitmq" && url.path == "/warren")
            let password = try #require(url.password)
            #expect(password.count >= 32 && passwords.insert(password).inserted)
            for (other, files) in try volumes.all() where other != service {
                #expect(files.values.allSatisfy { !$0.contains(password) }, "\(other) has \(service)'s")
            }
        }
        for service in ["identity", "post", "media", "search"] {
            let url = try #require(URLComponents(string: try volumes.text("\(service)/database.url")))
            #expect(url.user == service && url.host == "postgres" && url.path == "/\(service)")
            let password = try #require(url.password)
            #expect(password.count >= 32 && passwords.insert(password).inserted)
            for (other, files) in try volumes.all() where other != service && other != "postgres" {
                #expect(files.values.allSatisfy { !$0.contains(password) }, "\(other) has \(service)'s")
            }
        }
    }

    @Test("done again, it changes nothing")
    func again() throws {
        let volumes = try Volumes()
        try volumes.succeed()
        let first = try volumes.all()
        try volumes.succeed()
        #expect(try volumes.all() == first)
    }

    @Test("keys are exchanged step by step: the ingress knows the next one before identity signs with it")
    func keys() throws {
        let volumes = try Volumes()
        try volumes.succeed()
        let (signing, known) = (try volumes.text("identity/signing-key.pem"), try volumes.text("ingress/jwks.json"))
        try volumes.succeed(["keys", "prepare"])
        #expect(try volumes.text("identity/signing-key.pem") == signing)
        let both = try Repository.all(#""kid":"([^"]+)""#, in: volumes.text("ingress/jwks.json"))
        #expect(try both.count == 2 && both.isSuperset(of: Repository.all(#""kid":"([^"]+)""#, in: known)))
        try volumes.succeed(["keys", "rotate"])
        #expect(try volumes.text("identity/signing-key.pem") != signing)
        #expect(try Repository.all(#""kid":"([^"]+)""#, in: volumes.text("ingress/jwks.json")) == both)
        #expect(try Set(volumes.handed("identity").keys) == Volumes.containers["identity"])
    }

    @Test("a rotation changes the one password that is named")
    func rotates() throws {
        let volumes = try Volumes()
        try volumes.succeed()
        let before = try volumes.all()
        try volumes.succeed(["rotate", "post"])
        let rotated = try volumes.all()
        #expect(rotated["post"]?["amqp.url"] != before["post"]?["amqp.url"])
        #expect(rotated["post"]?["database.url"] != before["post"]?["database.url"])
        for name in ["ingress", "identity", "media", "search", "redis", "cloudinary-local"] {
            #expect(rotated[name] == before[name], "\(name)")
        }
        #expect(try volumes.setup(["rotate", "nobody"]).status == 1)
        #expect(try volumes.setup(["rotate"]).status == 64)
    }

    @Test("an account at Cloudinary that is given goes to media, and to nobody else")
    func cloudinary() throws {
        let volumes = try Volumes()
        try volumes.succeed(changes: ["CLOUDINARY_URL": "cloudinary://key:secret@cloud"])
        #expect(try volumes.text("media/cloudinary.url") == "cloudinary://key:secret@cloud")
        for (name, files) in try volumes.all() where name != "media" {
            #expect(files.values.allSatisfy { !$0.contains("key:secret") }, "\(name)")
        }
        try volumes.succeed()
        #expect(try volumes.text("media/cloudinary.url").hasSuffix("?upload_prefix=http://cloudinary-local:17480"))
    }

    @Test("tells an operator the addresses that the host has")
    func addresses() throws {
        let volumes = try Volumes()
        #expect(try volumes.setup(["env"]).status == 1)
        try volumes.succeed()
        let told = String(decoding: try volumes.setup(["env"]).output, as: UTF8.self)
        #expect(told.contains("export WARREN_URL=http://127.0.0.1:8080\n"))
        #expect(told.contains("export WARREN_INTEGRATOR_URL=amqp://integrator:"))
        #expect(told.contains("@127.0.0.1:5999/warren"))
    }

    @Test("a volume that is not there is named")
    func missing() throws {
        let volumes = try Volumes()
        try FileManager.default.removeItem(atPath: volumes.path("out/media"))
        let ended = try volumes.setup()
        #expect(ended.status != 0)
        #expect(ended.errors.contains("no volume is mounted at"))
    }
}
