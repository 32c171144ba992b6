// swift-tools-version: 6.2

import PackageDescription

// One dialect for every target. Warnings are made errors by tools/test, not here: a newer compiler's new warning must not
// stop a user's build.
let dialect: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "stepwell",
    products: [
        .executable(name: "stepwell", targets: ["StepwellCLI"]),
        .executable(name: "stepwell-conformance-worker", targets: ["ConformanceWorker"]),
        .executable(name: "stepwell-fuzz", targets: ["Fuzz"]),
        .library(name: "Stepwell", targets: ["Stepwell"]),
        // For workers and clients elsewhere, which need no engine and none of its C libraries.
        .library(name: "StepwellWorker", targets: ["StepwellWorker"]),
        .library(name: "StepwellTestKit", targets: ["StepwellTestKit"]),
    ],
    targets: [
        // C libraries, and the few calls that Swift cannot import.
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "CGnuTLS", pkgConfig: "gnutls", providers: [.apt(["libgnutls28-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CLinux"),
        .target(name: "CChecksum"),

        // The nouns, the decisions, the durable order of events.
        // libm: nothing below imports Glibc, which would link it for the rounding of a Double.
        .target(
            name: "StepwellModel", path: "Sources/Model", swiftSettings: dialect,
            linkerSettings: [.linkedLibrary("m")]),
        .target(
            name: "StepwellKernel", dependencies: ["StepwellModel"], path: "Sources/Kernel", swiftSettings: dialect),
        .target(
            name: "StepwellTemplates", dependencies: ["StepwellModel", "CYAML"], path: "Sources/Templates",
            swiftSettings: dialect),
        .target(
            name: "StepwellLog", dependencies: ["StepwellModel", "CLMDB", "CCrypto", "CChecksum", "CLinux"],
            path: "Sources/Log",
            swiftSettings: dialect),

        // Requests to a server: what workers elsewhere and clients speak through.
        .target(
            name: "StepwellHTTP", dependencies: ["StepwellModel", "CCurl", "CLinux"], path: "Sources/HTTP",
            swiftSettings: dialect),

        // What performs, and what users hold in their hands.
        .target(
            name: "StepwellWorker", dependencies: ["StepwellHTTP", "StepwellModel", "CLinux"],
            path: "Sources/Workers/swift",
            exclude: ["Conformance", "Example", "TestKit", "README.md", "test", "tests"],
            swiftSettings: dialect),
        // The handlers that Tests/WorkerConformance puts every SDK to the test with.
        .executableTarget(
            name: "ConformanceWorker", dependencies: ["StepwellWorker", "StepwellModel"],
            path: "Sources/Workers/swift/Conformance", swiftSettings: dialect),
        // The program of the SDK's tutorial.
        .executableTarget(
            name: "Prices", dependencies: ["StepwellWorker"], path: "Sources/Workers/swift/Example",
            exclude: ["shop.yaml"], swiftSettings: dialect),
        .target(
            name: "StepwellEngine",
            dependencies: ["StepwellKernel", "StepwellLog", "StepwellModel", "CLinux"],
            path: "Sources/Engine", swiftSettings: dialect),
        .target(
            name: "StepwellHistory",
            dependencies: ["StepwellEngine", "StepwellKernel", "StepwellLog", "StepwellModel", "CCrypto"],
            path: "Sources/History", swiftSettings: dialect),
        // The production loop in a world made of numbers: clock, disk and workers by seed.
        .target(
            name: "StepwellSimulation",
            dependencies: ["StepwellEngine", "StepwellKernel", "StepwellLog", "StepwellModel"],
            path: "Sources/Simulation", swiftSettings: dialect),
        .target(
            name: "Stepwell",
            dependencies: [
                "StepwellEngine", "StepwellHistory", "StepwellKernel", "StepwellLog", "StepwellTemplates",
                "StepwellWorker", "StepwellModel", "CLinux",
            ],
            path: "Sources/Stepwell", swiftSettings: dialect),
        // Handlers and whole templates in a user's tests, without a store.
        .target(
            name: "StepwellTestKit",
            dependencies: [
                "Stepwell", "StepwellEngine", "StepwellHistory", "StepwellKernel", "StepwellLog", "StepwellWorker",
                "StepwellModel",
            ],
            path: "Sources/Workers/swift/TestKit", swiftSettings: dialect),
        // The service: HTTP, workers elsewhere, live events.
        .target(
            name: "StepwellServer",
            dependencies: [
                "Stepwell", "StepwellHTTP", "StepwellEngine", "StepwellHistory", "StepwellKernel", "StepwellLog",
                "StepwellTemplates", "StepwellModel", "CMicroHTTPD", "CGnuTLS", "CCrypto", "CLinux",
            ],
            path: "Sources/Server", swiftSettings: dialect),
        .executableTarget(
            name: "StepwellCLI",
            dependencies: [
                "Stepwell", "StepwellServer", "StepwellHTTP", "StepwellEngine", "StepwellHistory", "StepwellLog",
                "StepwellSimulation",
                "StepwellTemplates",
                "StepwellModel", "CLinux", "CZstd",
            ],
            path: "Sources/CLI", swiftSettings: dialect),

        // The example with Swift handlers: it depends on the public library alone, as a user's program does.
        .executableTarget(
            name: "AnalyticsPipeline", dependencies: ["Stepwell"], path: "docs/examples/analytics_pipeline/swift",
            swiftSettings: dialect),

        .testTarget(
            name: "ModelTests", dependencies: ["StepwellModel"], path: "Tests/ModelTests", swiftSettings: dialect),
        .testTarget(
            name: "KernelTests", dependencies: ["StepwellKernel", "StepwellSimulation", "StepwellModel"],
            path: "Tests/KernelTests", swiftSettings: dialect),
        .testTarget(
            name: "TemplatesTests", dependencies: ["StepwellTemplates", "StepwellModel"], path: "Tests/TemplatesTests",
            exclude: ["Corpus"], swiftSettings: dialect),
        .testTarget(
            name: "LogTests", dependencies: ["StepwellLog", "StepwellModel", "CLMDB"], path: "Tests/LogTests",
            swiftSettings: dialect),
        .testTarget(
            name: "HTTPTests", dependencies: ["StepwellHTTP"], path: "Tests/HTTPTests", swiftSettings: dialect),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "StepwellEngine", "StepwellKernel", "StepwellLog", "StepwellModel", "StepwellSimulation", "CLinux",
            ],
            path: "Tests/EngineTests", swiftSettings: dialect),
        .testTarget(
            name: "HistoryTests",
            dependencies: [
                "StepwellHistory", "StepwellEngine", "StepwellKernel", "StepwellLog", "StepwellModel", "CLMDB",
            ],
            path: "Tests/HistoryTests", swiftSettings: dialect),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["StepwellSimulation", "StepwellEngine", "StepwellKernel", "StepwellLog", "StepwellModel"],
            path: "Tests/SimulationTests", swiftSettings: dialect),
        .testTarget(
            name: "StepwellTests", dependencies: ["Stepwell"], path: "Tests/StepwellTests",
            swiftSettings: dialect),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "StepwellServer", "Stepwell", "StepwellEngine", "StepwellLog", "StepwellTemplates", "StepwellModel",
                "CLinux",
            ],
            path: "Tests/ServerTests", swiftSettings: dialect),
        // The Swift SDK: its handlers, its test kit, its worker and client beside a server in the same process.
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "Prices", "StepwellTestKit", "StepwellServer", "Stepwell", "StepwellWorker", "StepwellHTTP",
                "StepwellModel",
            ],
            path: "Tests/WorkerTests", swiftSettings: dialect),
        // What tools/fuzz sends to a server. It shares no code with it: what both read wrongly would be found by nobody.
        .executableTarget(
            name: "Fuzz", path: "Tests/Fuzz", exclude: ["corpus.py", "templates"], swiftSettings: dialect),
        // The house rules, checked on the text of the sources.
        .testTarget(name: "TidyTests", path: "Tests/TidyTests", swiftSettings: dialect),
    ]
)
