import Foundation
import Testing

/// `compose/compose.yaml` with its anchors and merges resolved.
struct ComposeFile: Decodable {
    struct Service: Decodable {
        struct Build: Decodable {
            let context: String
            let dockerfile: String
            let target: String
        }

        struct Logging: Decodable {
            let driver: String
            let options: [String: String]
        }

        let build: Build?
        let image: String
        let profiles: [String]?
        let hostname: String?
        let command: Command?
        let user: String?
        let readOnly: Bool?
        let capDrop: [String]?
        let capAdd: [String]?
        let securityOpt: [String]?
        let restart: String?
        let logging: Logging?
        let stopGracePeriod: String?
        let environment: [String: String]?
        let volumes: [String]?
        let ports: [String]?
        let networkMode: String?
        let networks: [String]?
        let dependsOn: [String: Dependency]?
    }

    /// A command, which is a list of words or one text.
    struct Command: Decodable {
        let words: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            words = try (try? container.decode([String].self)) ?? [container.decode(String.self)]
        }
    }

    struct Dependency: Decodable {
        let condition: String
        let required: Bool?
    }

    struct Network: Decodable {
        let `internal`: Bool
    }

    let services: [String: Service]
    let networks: [String: Network?]
    let volumes: [String: String?]

    /// Reads the file with Python's YAML parser, because Foundation has none.
    static func read() async throws -> ComposeFile {
        let convert = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)"
        let converted = try await Repository.run(
            "/usr/bin/python3", ["-c", convert, Repository.path("compose/compose.yaml")])
        try #require(converted.status == 0, "\(converted.errors)")
        let decoder = JSONDecoder()
        // The strategy does not change the keys of dictionaries, which are names of services, variables and volumes.
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(ComposeFile.self, from: converted.output)
    }
}
