import CCrypto

/// SHA-256, computed by libcrypto with one context that is used again and again: making one costs more than hashing an event.
package struct SHA256: ~Copyable {
    package static let byteCount = 32

    private let context: OpaquePointer

    package init() {
        // Fails only when there is no memory left.
        guard let context = EVP_MD_CTX_new() else { fatalError("no memory for a hash") }
        self.context = context
        start()
    }

    deinit { EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "SHA-256 failed")
    }

    package mutating func update(_ bytes: [UInt8]) {
        bytes.withRawBytes { update($0) }
    }

    /// The hash of everything since the last one.
    package mutating func finish() -> [UInt8] {
        let hash = [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
            precondition(EVP_DigestFinal_ex(context, buffer.baseAddress, nil) == 1, "SHA-256 failed")
            count = Self.byteCount
        }
        restart()
        return hash
    }

    /// The same for whoever only passes it on.
    mutating func finish(_ body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: Self.byteCount, alignment: 1) { buffer in
            precondition(EVP_DigestFinal_ex(context, buffer.baseAddress, nil) == 1, "SHA-256 failed")
            body(UnsafeRawBufferPointer(buffer))
        }
        restart()
    }

    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var hasher = SHA256()
        hasher.update(bytes)
        return hasher.finish()
    }

    private func start() {
        // libcrypto always has SHA-256; this fails only when it is broken.
        precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "SHA-256 failed")
    }

    /// Without a digest's name libcrypto need not look for it again.
    private func restart() {
        precondition(EVP_DigestInit_ex(context, nil, nil) == 1, "SHA-256 failed")
    }
}
