import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Container set-up")
struct SetupTests {
    /// Folders that replace the volumes of the container `setup`. `compose/setup` runs on these folders.
    private final class Volumes {
        /// The files that each container needs.
        static let containers: [String: Set<String>] = [
            "rabbitmq": ["rabbitmq.conf", "cookie", "definitions/1-users.json", "definitions/2-warren.json"],
            "postgres": ["password", "pg_hba.conf", "roles.sql"], "redis": ["password", "redis.conf"],
            "limits": ["password", "redis.conf"],
            "ingress": ["amqp.url", "redis.url", "jwks.json", "receipts"],
            "identity": ["amqp.url", "redis.url", "database.url", "signing-key.pem"],
            "post": ["amqp.url", "redis.url", "database.url"],
            "media": ["amqp.url", "redis.url", "database.url", "cloudinary.url"],
            "search": ["amqp.url", "redis.url", "database.url"], "cloudinary-local": ["secret"],
        ]

        static let services = ["ingress", "identity", "post", "media", "search"]

        let folder: TemporaryFolder

        init() throws {
            folder = try TemporaryFolder()
            for name in Self.containers.keys { try folder.makeFolder("out/\(name)") }
        }

        func run(_ arguments: [String] = [], changes: [String: String] = [:]) async throws -> Repository.ProgramResult {
            // Only root can change a file's group to any group.
            let own = "\(getgid())"
            let groups = getuid() == 0 ? [:] : ["WARREN_OWN_GROUP": own, "WARREN_OFFICIAL_GROUP": own]
            return try await Repository.run(
                Repository.path("compose/setup"), arguments,
                [
                    "WARREN_STATE": folder.path("state"), "WARREN_OUT": folder.path("out"), "CLOUDINARY_URL": "",
                    "WARREN_PROGRAM": try builtProgram("warren"), "WARREN_AMQP_PORT": "5999", "WARREN_CLUSTER": "",
                ].merging(groups) { $1 }.merging(changes) { $1 })
        }

        func runSuccessfully(_ arguments: [String] = [], changes: [String: String] = [:]) async throws {
            let result = try await run(arguments, changes: changes)
            try #require(result.status == 0, "\(result.errors)")
        }

        func text(_ name: String) throws -> String { try folder.text("out/\(name)") }

        /// Returns the names and texts of a container's files. The text is empty for the file with the broker's users,
        /// because the salts of the passwords differ at each run.
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

    @Test("the set-up gives each container only the files that it needs, readable by its group only")
    func files() async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully()
        for (container, names) in Volumes.containers {
            #expect(Set(try volumes.files(container).keys) == names, "\(container)")
            for name in names {
                let file = try volumes.attributes("out/\(container)/\(name)")
                #expect(file.st_mode & 0o7777 == 0o440, "\(container)/\(name)")
                guard getuid() == 0 else { continue }
                #expect(file.st_uid == 0)
                let isOfficial = ["rabbitmq", "postgres", "redis", "limits"].contains(container)
                #expect(file.st_gid == (isOfficial ? 999 : 10001))
            }
        }
        for name in try volumes.folder.contents("state") {
            let mode = try volumes.attributes("state/\(name)").st_mode
            // The public keys are not secret.
            #expect(mode & 0o077 == 0 || name.hasSuffix("jwks.json"), "\(name)")
        }
    }

    @Test("each service has its own passwords, which only its container and PostgreSQL's container can read")
    func passwords() async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully()
        var passwords: Set<String> = []
        for service in Volumes.services {
            let redis = ["ingress", "identity"].contains(service) ? "limits" : "redis"
            for (file, host, path) in [("amqp.url", "rabbitmq", "/warren"), ("redis.url", redis, "/0")] {
                let url = try #require(URLComponents(string: try volumes.text("\(service)/\(file)")))
                #expect(url.user == service && url.host == host && url.path == path)
                let password = try #require(url.password)
                #expect(password.count >= 32 && passwords.insert(password).inserted)
                for (other, files) in try volumes.all() where other != service {
                    #expect(files.values.allSatisfy { !$0.contains(password) }, "\(other) has a password of \(service)")
                }
            }
        }
        for service in ["identity", "post", "media", "search"] {
            let url = try #require(URLComponents(string: try volumes.text("\(service)/database.url")))
            #expect(url.user == service && url.host == "postgres" && url.path == "/\(service)")
            // Without it, the workers would demand a certificate, which PostgreSQL's container does not have.
            #expect(url.query == "sslmode=disable")
            let password = try #require(url.password)
            #expect(password.count >= 32 && passwords.insert(password).inserted)
            for (other, files) in try volumes.all() where other != service && other != "postgres" {
                #expect(files.values.allSatisfy { !$0.contains(password) }, "\(other) has a password of \(service)")
            }
        }
    }

    @Test("each Redis server has a user with a hashed password for each of its services, and limits on the user's keys")
    func redisUsers() async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully()
        let keys = [
            "limits": ["ingress": "~rate:* ", "identity": "~identity:* "],
            "redis": ["post": "~post:* ~{post:* ", "media": "", "search": "~search:* ~{search:* "],
        ]
        for (server, users) in keys {
            let configuration = try volumes.text("\(server)/redis.conf")
            var expected: Set<String> = []
            for (user, patterns) in users {
                let url = try #require(URLComponents(string: try volumes.text("\(user)/redis.url")))
                let hash = try await sha256(try #require(url.password))
                let connecting = "+auth +ping +select +client|setname"
                let using = " +get +set +del +time +eval +evalsha +script|load"
                let identifying = server == "redis" ? " +info|server" : ""
                let commands = connecting + (patterns.isEmpty ? "" : using + identifying)
                expected.insert("\(user) on #\(hash) \(patterns)resetchannels -@all \(commands)")
            }
            #expect(try Repository.all("^user (.*)$", in: configuration) == expected)
        }
        #expect(try volumes.text("redis/redis.conf").contains("\nmaxmemory-policy volatile-lru\n"))
        #expect(try volumes.text("limits/redis.conf").contains("\nmaxmemory-policy noeviction\n"))
    }

    @Test("the password of a Redis server's default user is in the folder of that server only")
    func redisDefaultUsers() async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully()
        for server in ["redis", "limits"] {
            let password = try volumes.text("\(server)/password").trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(password.count >= 32)
            #expect(try volumes.text("\(server)/redis.conf").contains("\nrequirepass \(password)\n"))
            for (other, files) in try volumes.all() where other != server {
                #expect(files.values.allSatisfy { !$0.contains(password) }, "\(other) has the password of \(server)")
            }
        }
    }

    /// Returns the SHA-256 digest of a text in hexadecimal.
    private func sha256(_ text: String) async throws -> String {
        let script = #"printf '%s' "$1" | sha256sum"#
        return String(try await Repository.run("/bin/bash", ["-c", script, "-", text]).text.prefix(64))
    }

    @Test("a second set-up changes no secret")
    func again() async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully()
        let first = try volumes.all()
        try await volumes.runSuccessfully()
        #expect(try volumes.all() == first)
    }

    @Test("a key rotation gives the ingress the next public key before identity signs with it")
    func keys() async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully()
        let (signing, known) = (try volumes.text("identity/signing-key.pem"), try volumes.text("ingress/jwks.json"))
        try await volumes.runSuccessfully(["keys", "prepare"])
        #expect(try volumes.text("identity/signing-key.pem") == signing)
        let both = try Repository.all(#""kid":"([^"]+)""#, in: volumes.text("ingress/jwks.json"))
        #expect(try both.count == 2 && both.isSuperset(of: Repository.all(#""kid":"([^"]+)""#, in: known)))
        try await volumes.runSuccessfully(["keys", "rotate"])
        #expect(try volumes.text("identity/signing-key.pem") != signing)
        #expect(try Repository.all(#""kid":"([^"]+)""#, in: volumes.text("ingress/jwks.json")) == both)
        #expect(try Set(volumes.files("identity").keys) == Volumes.containers["identity"])
    }

    @Test("the set-up's command rotate changes only the passwords of the named service, and refuses an unknown name")
    func rotates() async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully()
        let before = try volumes.all()
        try await volumes.runSuccessfully(["rotate", "post"])
        let rotated = try volumes.all()
        #expect(rotated["post"]?["amqp.url"] != before["post"]?["amqp.url"])
        #expect(rotated["post"]?["database.url"] != before["post"]?["database.url"])
        #expect(rotated["post"]?["redis.url"] != before["post"]?["redis.url"])
        #expect(rotated["redis"]?["redis.conf"] != before["redis"]?["redis.conf"])
        #expect(rotated["redis"]?["password"] == before["redis"]?["password"])
        for name in ["ingress", "identity", "media", "search", "limits", "cloudinary-local"] {
            #expect(rotated[name] == before[name], "\(name)")
        }
        #expect(try await volumes.run(["rotate", "nobody"]).status == 1)
        #expect(try await volumes.run(["rotate"]).status == 64)
    }

    @Test(
        "the set-up's command rotate changes the password of a Redis server's default user",
        arguments: ["redis", "limits"]
    )
    func rotatesDefaultUser(server: String) async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully()
        let before = try volumes.all()
        try await volumes.runSuccessfully(["rotate", server])
        let rotated = try volumes.all()
        for (name, files) in rotated {
            #expect((files == before[name]) == (name != server), "\(name)")
        }
        let users = "^user (.*)$"
        let (new, old) = (rotated[server]?["redis.conf"] ?? "", before[server]?["redis.conf"] ?? "")
        #expect(try Repository.all(users, in: new) == Repository.all(users, in: old))
    }

    @Test("the set-up's command rotate makes a new key of receipts, and keeps only the last of the former keys")
    func rotatesReceipts() async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully()
        let first = try String(volumes.text("ingress/receipts").prefix { !$0.isWhitespace })
        try await volumes.runSuccessfully(["rotate", "receipts"])
        let second = try volumes.text("ingress/receipts").split(separator: ",").map(String.init)
        #expect(second.count == 2 && second[0] != first && second[1] == first)
        try await volumes.runSuccessfully(["rotate", "receipts"])
        let third = try volumes.text("ingress/receipts").split(separator: ",").map(String.init)
        #expect(third.count == 2 && third[1] == second[0])
    }

    @Test("only the media container gets the value of CLOUDINARY_URL")
    func cloudinary() async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully(changes: ["CLOUDINARY_URL": "cloudinary://key:secret@cloud"])
        #expect(try volumes.text("media/cloudinary.url") == "cloudinary://key:secret@cloud")
        for (name, files) in try volumes.all() where name != "media" {
            #expect(files.values.allSatisfy { !$0.contains("key:secret") }, "\(name)")
        }
        try await volumes.runSuccessfully()
        #expect(try volumes.text("media/cloudinary.url").hasSuffix("?upload_prefix=http://cloudinary-local:17480"))
    }

    @Test("the set-up's command env prints addresses for the host, and fails if no secrets exist yet")
    func addresses() async throws {
        let volumes = try Volumes()
        #expect(try await volumes.run(["env"]).status == 1)
        try await volumes.runSuccessfully()
        let printed = try await volumes.run(["env"]).text
        #expect(printed.contains("export WARREN_URL=http://127.0.0.1:8080\n"))
        #expect(printed.contains("export WARREN_INTEGRATOR_URL=amqp://integrator:"))
        #expect(printed.contains("@127.0.0.1:5999/warren"))
    }

    @Test("in a cluster, daemons get an address with all brokers, and brokers load no queues before they are members")
    func cluster() async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully(changes: ["WARREN_CLUSTER": "yes"])
        for service in Volumes.services {
            let url = try volumes.text("\(service)/amqp.url")
            #expect(url.hasPrefix("amqp://\(service):"))
            #expect(url.hasSuffix("@rabbitmq:5672,rabbitmq-2:5672,rabbitmq-3:5672/warren?heartbeat=3"), "\(service)")
        }
        let configuration = try volumes.text("rabbitmq/rabbitmq.conf")
        let nodes = try Repository.all(#"^cluster_formation.classic_config.nodes.\d = (.*)$"#, in: configuration)
        #expect(nodes == ["warren@rabbitmq", "warren@rabbitmq-2", "warren@rabbitmq-3"])
        #expect(configuration.contains("\ncluster_partition_handling = pause_minority\n"))
        #expect(configuration.contains("\nqueue_leader_locator = balanced\n"))
        #expect(configuration.contains("\nload_definitions = /run/warren/definitions/1-users.json\n"))
        #expect(try volumes.text("rabbitmq/definitions/1-users.json").contains("\"queues\"") == false)
        // A client on the host connects to the one port that is published.
        #expect(try await volumes.run(["env"]).text.contains("@127.0.0.1:5999/warren\n"))
    }

    @Test("one broker gets no settings of a cluster, and loads its queues when it starts")
    func oneBroker() async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully()
        let configuration = try volumes.text("rabbitmq/rabbitmq.conf")
        #expect(!configuration.contains("cluster") && !configuration.contains("net_ticktime"))
        #expect(configuration.contains("\nload_definitions = /run/warren/definitions\n"))
        #expect(try volumes.text("post/amqp.url").hasSuffix("@rabbitmq:5672/warren"))
    }

    @Test("the set-up refuses to make a cluster of one broker, or one broker of a cluster", arguments: ["", "yes"])
    func changedCluster(first: String) async throws {
        let volumes = try Volumes()
        try await volumes.runSuccessfully(changes: ["WARREN_CLUSTER": first])
        let before = try volumes.all()
        let result = try await volumes.run(changes: ["WARREN_CLUSTER": first.isEmpty ? "yes" : ""])
        #expect(result.status == 1)
        #expect(result.errors.contains("WARREN_CLUSTER"))
        #expect(try volumes.all() == before)
        // An installation of a version that did not store the number of brokers has one.
        try FileManager.default.removeItem(atPath: volumes.folder.path("state/brokers"))
        #expect(try await volumes.run(changes: ["WARREN_CLUSTER": "yes"]).status == 1)
    }

    @Test("the set-up fails and names the missing volume if a container has none")
    func missing() async throws {
        let volumes = try Volumes()
        try FileManager.default.removeItem(atPath: volumes.folder.path("out/media"))
        let result = try await volumes.run()
        #expect(result.status != 0)
        #expect(result.errors.contains("no volume is mounted at"))
    }
}
