/// The chain that binds each commit to all before it.
package enum HashChain {
    /// The hash before the first commit.
    package static let origin = [UInt8](repeating: 0, count: SHA256.byteCount)

    /// The hash of a commit: over the previous commit's hash and the bytes of the commit's events, one after the other.
    package static func hash(
        previous: [UInt8], batch: UnsafeRawBufferPointer, with hasher: inout SHA256
    ) -> [UInt8] {
        hasher.update(previous)
        hasher.update(batch)
        return hasher.finish()
    }
}
