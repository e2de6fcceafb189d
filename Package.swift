// swift-tools-version: 6.2
import PackageDescription

// The targets form layers: a target depends only on targets of lower layers, except for Multipart, JSONLogging and the
// modules of the tools. `swift build --explicit-target-dependency-import-check error` rejects imports of other targets.

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .treatAllWarnings(as: .error),
    // By default, the compiler specializes hardly any generic function of another module. Sources/DECISIONS.md has
    // measurements.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let configuration: Target.Dependency = .product(name: "Configuration", package: "swift-configuration")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioExtras: Target.Dependency = .product(name: "NIOExtras", package: "swift-nio-extras")
let jwt: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// Returns the targets of a driver: its Swift code, and the module map of its C library in a folder inside it.
func driver(
    _ name: String, c module: String, pkgConfig: String? = nil, apt: String, _ dependencies: [Target.Dependency]
)
    -> [Target]
{
    [
        .systemLibrary(
            name: module, path: "Sources/Drivers/\(name)/\(module)", pkgConfig: pkgConfig, providers: [.apt([apt])]),
        .target(
            name: name, dependencies: [.target(name: module)] + dependencies, path: "Sources/Drivers/\(name)",
            exclude: [module], swiftSettings: settings),
    ]
}

func module(
    _ name: String, path: String? = nil, exclude: [String] = [], resources: [Resource] = [],
    _ dependencies: [Target.Dependency]
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", exclude: exclude,
        resources: resources, swiftSettings: settings)
}

func program(_ name: String, path: String, exclude: [String] = [], _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Sources/\(path)", exclude: exclude, swiftSettings: settings)
}

func tests(_ name: String, exclude: [String] = [], _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies + ["TestSupport", "FaultProxy", "TestData"],
        path: "Tests/\(name)",
        exclude: exclude, swiftSettings: settings)
}

let layer0 = [
    .systemLibrary(name: "CLinux", path: "Sources/Reactor/CLinux"),
    module("Reactor", exclude: ["CLinux"], ["CLinux", heap]),
    module("ASCII", []),
]

let layer1 =
    driver(
        "AMQP", c: "CRabbitMQ", pkgConfig: "librabbitmq", apt: "librabbitmq-dev",
        ["ASCII", "Reactor", logging, deque])
    + driver("Postgres", c: "CPostgres", pkgConfig: "libpq", apt: "libpq-dev", ["Reactor", logging, deque])
    + driver("Redis", c: "CHiredis", apt: "libhiredis-dev", ["Reactor", logging, deque])
    + driver("Curl", c: "CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev", ["ASCII", "Reactor", logging])
    + driver("Argon2", c: "CArgon2", pkgConfig: "libargon2", apt: "libargon2-dev", ["ASCII", "Reactor"])
    + driver("Zlib", c: "CZlib", pkgConfig: "zlib", apt: "zlib1g-dev", [])
    + driver("Utf8proc", c: "CUtf8proc", pkgConfig: "libutf8proc", apt: "libutf8proc-dev", [])
    + [
        .target(
            name: "CCommonPasswords", path: "Sources/Contracts/Passwords/CCommonPasswords",
            exclude: ["common-passwords.txt"]),
        module(
            "Contracts", exclude: ["README.md", "Passwords/README.md", "Passwords/CCommonPasswords"],
            ["ASCII", "CCommonPasswords", crypto]),
        module("ImageHeaders", []),
    ]

let layer2 = [
    module("JSONLogging", path: "Sources/WorkerKit/JSONLogging", ["Contracts", "Reactor", logging]),
    module(
        "WorkerKit", exclude: ["JSONLogging"],
        [
            "ASCII", "Reactor", "AMQP", "Postgres", "Redis", "Contracts", "JSONLogging", logging, configuration,
            crypto, lifecycle,
        ]),
]

let serviceBase: [Target.Dependency] = [
    "Reactor", "Postgres", "Redis", "Contracts", "WorkerKit", logging, configuration, crypto,
]

let layer3 = [
    module(
        "IdentityService", path: "Sources/Services/Identity", resources: [.embedInCode("Migrations")],
        serviceBase + ["ASCII", "Argon2", jwt]),
    module("PostService", path: "Sources/Services/Post", resources: [.embedInCode("Migrations")], serviceBase),
    module(
        "MediaService", path: "Sources/Services/Media", resources: [.embedInCode("Migrations")],
        serviceBase + ["ASCII", "Curl", "ImageHeaders"]),
    module(
        "SearchService", path: "Sources/Services/Search", exclude: ["README.md"],
        resources: [.embedInCode("Migrations")],
        serviceBase + ["AMQP", "Utf8proc"]),
    module("Multipart", path: "Sources/Ingress/Multipart", ["ASCII"]),
    module(
        "Ingress", exclude: ["Multipart", "README.md"], resources: [.embedInCode("Documentation/Page")],
        [
            "ASCII", "Reactor", "AMQP", "Redis", "Contracts", "WorkerKit", "Multipart", "Zlib", logging,
            lifecycle, httpTypes, nioCore, nioPosix, nioHTTP1, nioExtras, jwt, crypto,
        ]),
]

let layer4 = [
    module("AtomicFile", path: "Sources/Tools/AtomicFile", []),
    module("FaultProxy", path: "Sources/Tools/FaultProxy", ["CLinux"]),
    .systemLibrary(name: "CSpawn", path: "Sources/Tools/LocalStack/CSpawn"),
    module("LocalStack", path: "Sources/Tools/LocalStack", exclude: ["CSpawn"], ["CSpawn", "Reactor"]),
    module("TestData", path: "Sources/Tools/TestData", []),
    module(
        "BenchKit", path: "Sources/Tools/Bench/Kit", exclude: ["result.schema.json"],
        resources: [.embedInCode("requests.lua")], ["Contracts", "TestData", "WorkerKit"]),
    module(
        "ChaosKit", path: "Sources/Tools/Chaos/Kit", resources: [.embedInCode("flood.lua")], ["Contracts", "TestData"]),
    program("warren-identity", path: "Daemons/Identity", ["IdentityService", "WorkerKit"]),
    program("warren-post", path: "Daemons/Post", ["PostService", "WorkerKit"]),
    program("warren-media", path: "Daemons/Media", ["MediaService", "WorkerKit"]),
    program("warren-search", path: "Daemons/Search", ["SearchService", "WorkerKit"]),
    program("warren-ingress", path: "Daemons/Ingress", ["Ingress", "WorkerKit"]),
    program(
        "warren", path: "Tools/Warren",
        [
            "Reactor", "AMQP", "Contracts", "JSONLogging", "WorkerKit", "IdentityService", "SearchService",
            "AtomicFile", arguments, logging,
        ]),
    program(
        "cloudinary-local", path: "Tools/CloudinaryLocal", exclude: ["README.md"],
        [
            "ASCII", "ImageHeaders", "Multipart", "JSONLogging", "AtomicFile", hummingbird, hummingbirdCore, httpTypes,
            nioCore, crypto, arguments, lifecycle, logging,
        ]),
    program(
        "warren-bench", path: "Tools/Bench", exclude: ["Kit", "Raw"],
        [
            "Reactor", "BenchKit", "Contracts", "Curl", "LocalStack", "Redis", "AtomicFile", arguments, logging,
        ]),
    program(
        "warren-chaos", path: "Tools/Chaos", exclude: ["Kit"],
        [
            "AMQP", "AtomicFile", "ChaosKit", "Contracts", "Curl", "FaultProxy", "LocalStack", "Postgres", "Reactor",
            "TestData", arguments, logging,
        ]),
    // In C, so that the limit with which Warren is compared contains none of Warren's code.
    program("warren-bench-raw", path: "Tools/Bench/Raw", ["CRabbitMQ"]),
]

let testTargets = [
    Target.target(
        name: "TestSupport", dependencies: ["FaultProxy", "Reactor", logging], path: "Tests/Support",
        swiftSettings: settings),
    Target.target(
        name: "BrokerSupport", dependencies: ["AMQP", "CRabbitMQ", "Reactor"], path: "Tests/BrokerSupport",
        swiftSettings: settings),
    Target.target(
        name: "DatabaseSupport",
        dependencies: ["TestSupport", "WorkerKit", "AMQP", "Contracts", "Postgres", "Redis", "Reactor", logging],
        path: "Tests/DatabaseSupport", swiftSettings: settings),
    tests("Reactor", ["Reactor"]),
    tests("AMQP", ["AMQP", "BrokerSupport", "Reactor", logging]),
    tests("Postgres", ["Postgres", "Reactor", logging]),
    tests("Redis", ["Redis", "Reactor", logging]),
    tests("Curl", ["Curl", "Reactor", logging]),
    tests("Argon2", ["Argon2", "Reactor"]),
    tests("Contracts", ["Contracts"]),
    tests("ImageHeaders", ["ImageHeaders"]),
    tests(
        "WorkerKit",
        [
            "BrokerSupport", "DatabaseSupport", "WorkerKit", "JSONLogging", "AMQP", "Postgres", "Redis", "Contracts",
            "Reactor", logging,
        ]),
    tests(
        "Identity",
        [
            "IdentityService", "warren-identity", "warren", "WorkerKit", "AMQP", "Argon2", "Postgres", "Redis",
            "Contracts", "Reactor", "BrokerSupport", "DatabaseSupport", crypto, jwt, logging,
        ]),
    tests(
        "Post", ["DatabaseSupport", "PostService", "WorkerKit", "Postgres", "Redis", "Contracts", "Reactor", logging]),
    tests(
        "Media",
        [
            "DatabaseSupport", "MediaService", "cloudinary-local", "WorkerKit", "Curl", "ImageHeaders", "Postgres",
            "Contracts", "Reactor", logging,
        ]),
    tests(
        "Search",
        [
            "DatabaseSupport", "SearchService", "WorkerKit", "AMQP", "Postgres", "Redis", "Contracts", "Reactor",
            logging,
        ]),
    tests(
        "Ingress",
        [
            "Ingress", "Multipart", "CZlib", "AMQP", "BrokerSupport", "Redis", "Contracts", "WorkerKit", "Reactor",
            logging, lifecycle, jwt, httpTypes, nioCore, nioPosix, nioHTTP1,
        ]),
    tests("Compose", ["warren"]),
    tests("AtomicFile", ["AtomicFile"]),
    tests("Bench", ["BenchKit", "Contracts", "ImageHeaders"]),
    tests("Chaos", ["ChaosKit", "warren-chaos", "Contracts"]),
    tests("FaultProxy", ["Contracts"]),
    tests("LocalStack", ["LocalStack"]),
    tests("CloudinaryLocal", ["cloudinary-local", crypto]),
    tests(
        "Fuzz", exclude: ["libfuzzer"],
        ["Contracts", "ImageHeaders", "Multipart", "AMQP", "CRabbitMQ", "Ingress", "Reactor", nioHTTP1]),
    tests(
        "Journeys", exclude: ["Clients"],
        [
            "AMQP", "BrokerSupport", "DatabaseSupport", "LocalStack", "Postgres", "Redis", "Curl", "Contracts",
            "Reactor", logging,
        ]),
]

/// The only test target to build; `compose/local test TARGET` sets the variable. SwiftPM links all test targets into
/// one program, so without this choice a change of a module would also compile the tests of all modules above it.
let chosenTests = Context.environment["WARREN_TEST_TARGET"]

/// The tools of developers. If `WARREN_PROGRAMS` is `stack`, they and the tests are left out. `compose/local up` sets
/// the variable, so that a first start compiles less.
let developerTargets: Set = [
    "FaultProxy", "CSpawn", "LocalStack", "TestData", "BenchKit", "ChaosKit", "warren-bench", "warren-bench-raw",
    "warren-chaos",
]
let buildsStackOnly = Context.environment["WARREN_PROGRAMS"] == "stack"
let programs = layer4.filter { !buildsStackOnly || !developerTargets.contains($0.name) }
let chosenTestTargets = testTargets.filter { !$0.isTest || chosenTests == nil || chosenTests == $0.name }

let package = Package(
    name: "warren",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.7.1"),
    ],
    targets: layer0 + layer1 + layer2 + layer3 + programs + (buildsStackOnly ? [] : chosenTestTargets),
    cLanguageStandard: .c2x  // CCommonPasswords uses #embed of C23.
)
