import Foundation
import Testing

@Suite("Container files")
struct ContainerTests {
    private let file: ComposeFile
    private let dockerfile: String

    private static let workers = ["identity", "post", "media", "search"]
    private static let daemons = ["ingress"] + workers

    init() async throws {
        file = try await ComposeFile.read()
        dockerfile = try Repository.text("compose/Dockerfile")
    }

    private func service(_ name: String) throws -> ComposeFile.Service {
        try #require(file.services[name], "compose.yaml has no service \(name)")
    }

    /// Returns the stages of the Dockerfile by name, each with its base image and its text.
    private func stages() throws -> [String: (base: String, text: String)] {
        var stages: [String: (base: String, text: String)] = [:]
        for part in dockerfile.components(separatedBy: "\nFROM ").dropFirst() {
            let words = part.prefix { $0 != "\n" }.split(separator: " ")
            try #require(words.count == 3 && words[1] == "AS")
            stages[String(words[2])] = (String(words[0]), part)
        }
        return stages
    }

    @Test("the Dockerfile strips and copies each program of Package.swift, except for the bench and the chaos suite")
    func programs() throws {
        let all = try Repository.all(#"program\(\s*"([a-z-]+)""#, in: Repository.text("Package.swift"))
        let built = all.subtracting(["warren-bench", "warren-bench-raw", "warren-chaos"])
        #expect(all.count == built.count + 3)
        #expect(try Repository.all(#"^COPY --from=build /programs/([a-z-]+) "#, in: dockerfile) == built)
        let stripped = try #require(try Repository.all(#"for program in \\\n +([a-z -]+);"#, in: dockerfile).first)
        #expect(Set(stripped.split(separator: " ").map(String.init)) == built)
    }

    @Test("each service of compose.yaml that is built has the name of its Dockerfile target, and each target has one")
    func targets() throws {
        let stages = try stages()
        let bases = Set(stages.values.map(\.base)).union(["build"])
        let targets = file.services.compactMapValues { $0.build?.target }
        #expect(targets.allSatisfy { $0.key == $0.value })
        #expect(Set(targets.values).isSuperset(of: stages.keys.filter { !bases.contains($0) }))
        #expect(Set(targets.values).isSubset(of: stages.keys))
        for name in Self.daemons { #expect(targets[name] == name) }
    }

    @Test("no container runs as root except the set-up, which has no network")
    func users() throws {
        let stages = try stages()
        func user(_ stage: String) -> String? {
            guard let (base, text) = stages[stage] else { return nil }
            let lines = text.split(separator: "\n").filter { $0.hasPrefix("USER ") }
            return lines.last.map { String($0.dropFirst(5)) } ?? user(base)
        }
        for (name, service) in file.services {
            guard let target = service.build?.target else {
                #expect(service.user == "999:999", "\(name)")
                continue
            }
            #expect(user(target) == (name == "setup" ? "0" : "10001:10001"), "\(name)")
            #expect(service.user == nil, "\(name)")
        }
        #expect(try service("setup").networkMode == "none")
    }

    @Test("containers have a read-only root file system and cannot gain privileges; only the set-up has a capability")
    func hardened() throws {
        for (name, service) in file.services {
            #expect(service.readOnly == true, "\(name)")
            #expect(service.capDrop == ["ALL"], "\(name)")
            #expect(service.securityOpt == ["no-new-privileges:true"], "\(name)")
            #expect(service.capAdd == (name == "setup" ? ["CHOWN"] : nil), "\(name)")
        }
    }

    @Test("Docker limits the log of each container to three files of 10 MB")
    func logs() {
        #expect(!file.services.isEmpty)
        for (name, service) in file.services {
            #expect(service.logging?.driver == "json-file", "\(name)")
            #expect(service.logging?.options == ["max-size": "10m", "max-file": "3"], "\(name)")
        }
    }

    @Test("a container mounts only the secrets of its own service, and mounts them read-only")
    func secrets() throws {
        let shared = [
            "database-setup": "postgres", "warren": "search", "rabbitmq-2": "rabbitmq", "rabbitmq-3": "rabbitmq",
            "cluster-setup": "rabbitmq",
        ]
        let secretVolumes = file.volumes.keys.filter { $0.hasPrefix("for-") }
        #expect(try Set(service("setup").volumes ?? []).contains("secrets:/var/lib/warren"))
        for (name, service) in file.services where name != "setup" {
            let mounted = (service.volumes ?? []).filter { $0.hasPrefix("for-") || $0.hasPrefix("secrets") }
            #expect(mounted == ["for-\(shared[name] ?? name):/run/warren:ro"], "\(name)")
        }
        let written = try service("setup").volumes?.filter { $0.hasPrefix("for-") }
        #expect(Set(written ?? []) == Set(secretVolumes.map { "\($0):/out/\($0.dropFirst(4))" }))
    }

    @Test("compose.yaml sets every variable that a daemon requires, and only variables that the programs read")
    func settings() throws {
        let kit = try Repository.text("Sources/WorkerKit/Process/Daemon+Worker.swift")
        let all = try Repository.sources("Sources")
        let known = try Repository.all(#""((?:WARREN|CLOUDINARY)_[A-Z_]+)""#, in: all)
        let folders = ["ingress": "Ingress", "identity": "Services/Identity", "media": "Services/Media"]
        for name in Self.daemons {
            let own = try folders[name].map { try Repository.sources("Sources/\($0)") } ?? ""
            let sources = name == "ingress" ? own : own + kit
            let required = try Repository.all(#"(?:parsed|requiredText)\(\s*"([A-Z_]+)""#, in: sources)
            let variables = try Set((service(name).environment ?? [:]).keys).map {
                $0.hasSuffix("_FILE") ? String($0.dropLast(5)) : $0
            }
            #expect(Set(variables).isSuperset(of: required), "\(name): \(required.subtracting(variables))")
            #expect(known.isSuperset(of: variables), "\(name): \(Set(variables).subtracting(known))")
        }
        #expect(dockerfile.contains("ENV WARREN_HEALTH_FILE=") && known.contains("WARREN_HEALTH_FILE"))
    }

    @Test("the container of the operator's command warren has the settings, secrets and networks of a search worker")
    func command() throws {
        let (command, search) = (try service("warren"), try service("search"))
        #expect(command.environment == search.environment)
        #expect(command.volumes == search.volumes)
        #expect(Set(command.networks ?? []) == Set(search.networks ?? []))
    }

    @Test("queues/definitions.json has permissions for each daemon, the integrator and the operator, and for no others")
    func principals() throws {
        struct Definitions: Decodable {
            struct Permission: Decodable { let user: String }
            let permissions: [Permission]
        }
        let data = Data(try Repository.text("queues/definitions.json").utf8)
        let users = Set(try JSONDecoder().decode(Definitions.self, from: data).permissions.map(\.user))
        #expect(users == Set(Self.daemons + ["integrator", "operator"]))
    }

    @Test("compose.yaml publishes ports on loopback only, and all networks but edge and media-host are internal")
    func published() throws {
        for (name, service) in file.services {
            #expect((service.ports ?? []).allSatisfy { $0.hasPrefix("127.0.0.1:") }, "\(name)")
        }
        #expect(Set(file.networks.filter { $0.value?.internal != true }.keys) == ["edge", "media-host"])
        for name in ["postgres", "redis", "limits"] {
            #expect(try Set(service(name).networks ?? []).isDisjoint(with: ["edge", "media-host"]))
        }
    }

    @Test("servers start after the set-up; workers start after the database set-up, and when the broker is healthy")
    func order() throws {
        for name in Self.workers {
            let needs = try #require(try service(name).dependsOn)
            #expect(needs["database-setup"]?.condition == "service_completed_successfully")
            #expect(needs["rabbitmq"]?.condition == "service_healthy")
        }
        for name in ["rabbitmq", "postgres", "redis", "limits", "cloudinary-local"] {
            #expect(try service(name).dependsOn?["setup"]?.condition == "service_completed_successfully")
        }
        #expect(try service("media").dependsOn?["cloudinary-local"]?.required == false)
    }

    @Test("the profile cluster adds two brokers that differ from the first in name, volume and published port only")
    func cluster() throws {
        let first = try service("rabbitmq")
        #expect(first.environment?["RABBITMQ_NODENAME"] == "warren@${WARREN_BROKER_HOST:-localhost}")
        for name in ["rabbitmq-2", "rabbitmq-3"] {
            let broker = try service(name)
            #expect(broker.profiles == ["cluster"] && broker.hostname == name)
            #expect(broker.image == first.image && broker.command?.words == first.command?.words)
            #expect(broker.networks == ["broker"] && broker.ports == [])
            #expect(broker.volumes == ["\(name):/var/lib/rabbitmq", "for-rabbitmq:/run/warren:ro"])
            var environment = first.environment
            environment?["RABBITMQ_NODENAME"] = "warren@\(name)"
            #expect(broker.environment == environment)
        }
        #expect(file.volumes.keys.contains("rabbitmq-2") && file.volumes.keys.contains("rabbitmq-3"))
    }

    @Test("in a cluster, queues are declared when all three brokers are members, and daemons start afterwards")
    func clusterSetup() throws {
        let setup = try service("cluster-setup")
        #expect(setup.profiles == ["cluster"])
        let needs = try #require(setup.dependsOn)
        #expect(Set(needs.keys) == ["rabbitmq", "rabbitmq-2", "rabbitmq-3"])
        #expect(needs.values.allSatisfy { $0.condition == "service_healthy" })
        let script = try #require(setup.command?.words.first)
        let waits = try #require(script.range(of: "await_online_nodes 3"))
        let imports = try #require(script.range(of: "import_definitions /run/warren/definitions/2-warren.json"))
        #expect(waits.lowerBound < imports.lowerBound)
        for name in Self.daemons + ["warren"] {
            let need = try service(name).dependsOn?["cluster-setup"]
            // Without the profile, the service does not exist.
            #expect(need?.condition == "service_completed_successfully" && need?.required == false, "\(name)")
        }
    }

    @Test("WARREN_CLUSTER selects the profile cluster, and the names and addresses with which brokers find each other")
    func clusterVariables() async throws {
        let script = "set -a && source '\(Repository.path("compose/.env"))' && env"
        func variables(_ changes: [String: String]) async throws -> Set<String> {
            let result = try await Repository.run(
                "/bin/bash", ["-c", script], ["CLOUDINARY_URL": "", "WARREN_CLUSTER": ""].merging(changes) { $1 })
            return Set(result.text.split(separator: "\n").map(String.init))
        }
        let single = try await variables([:])
        #expect(
            single.isSuperset(of: [
                "COMPOSE_PROFILES=cloudinary-local", "WARREN_BROKER_HOST=", "WARREN_BROKER_ADDRESS=",
                "WARREN_EPMD_ADDRESS=",
            ]))
        let cluster = try await variables(["WARREN_CLUSTER": "yes"])
        #expect(
            cluster.isSuperset(of: [
                "COMPOSE_PROFILES=cloudinary-local,cluster", "WARREN_BROKER_HOST=rabbitmq",
                "WARREN_BROKER_ADDRESS=0,0,0,0", "WARREN_EPMD_ADDRESS=0.0.0.0",
            ]))
        let both = try await variables(["WARREN_CLUSTER": "yes", "CLOUDINARY_URL": "cloudinary://k:s@c"])
        #expect(both.contains("COMPOSE_PROFILES=cloudinary-local-is-elsewhere,cluster"))
    }

    @Test("a daemon starts after the Redis server that it uses, and shares a network with this Redis server only")
    func redisServers() throws {
        let networks = ["redis": "cache", "limits": "limits"]
        for (server, network) in networks { #expect(try service(server).networks == [network]) }
        for name in Self.daemons + ["warren"] {
            let daemon = try service(name)
            let needed = Set((daemon.dependsOn ?? [:]).keys).intersection(networks.keys)
            #expect(needed == (["ingress", "identity"].contains(name) ? ["limits"] : ["redis"]), "\(name)")
            for server in needed { #expect(daemon.dependsOn?[server]?.condition == "service_healthy", "\(name)") }
            let shared = Set(daemon.networks ?? []).intersection(networks.values)
            #expect(shared == Set(needed.compactMap { networks[$0] }), "\(name)")
        }
    }

    @Test("Docker and compose/local kill a daemon after 40 s, which is longer than its own limit for a graceful stop")
    func stopping() throws {
        let daemon = try Repository.text("Sources/WorkerKit/Process/Daemon.swift")
        let limit = try #require(try Repository.all(#"stopLimit: Duration = \.seconds\((\d+)\)"#, in: daemon).first)
        let stopLimit = try #require(Int(limit))
        #expect(stopLimit > 25)
        for name in Self.daemons {
            #expect(try service(name).stopGracePeriod == "40s")
            #expect(try service(name).restart == "unless-stopped")
        }
        let script = try Repository.text("compose/lib/process.sh")
        let killDelay = try #require(try Repository.all(#"wait_until (\d+) none_running"#, in: script).first)
        #expect(try #require(Int(killDelay)) == 40 && stopLimit < 40)
    }

    @Test("the Dockerfile installs the same C libraries as compose/local")
    func libraries() throws {
        let local = try Repository.all(#"(lib[a-z0-9-]+-dev)"#, in: Repository.text("compose/lib/packages.sh"))
        #expect(try Repository.all(#"(lib[a-z0-9-]+-dev)"#, in: dockerfile) == local)
    }
}
