// swift-tools-version: 6.2

import PackageDescription

// A package of its own, so that whoever uses the library does not build it.
let dialect: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "stepwell-benchmarks",
    // By name: the folder of a clone may be called anything.
    dependencies: [.package(name: "stepwell", path: "..")],
    targets: [
        // LMDB without anything around it, to measure against.
        .systemLibrary(name: "CRawLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "CEpoll"),
        .executableTarget(
            name: "stepwell-bench",
            dependencies: [.product(name: "Stepwell", package: "stepwell"), "CRawLMDB", "CEpoll"],
            path: "Sources/StepwellBench", swiftSettings: dialect),
    ]
)
