import Glibc

/// Looks at every page that a file of LMDB's refers to, without LMDB, which trusts its pages: does each lie within the file, and is it
/// what it should be? Needed only when a file is shorter than its last commit says, so that it need not be fast.
///
/// The places within a page are those of LMDB 0.9 on a 64-bit machine.
struct PageWalk {
    let descriptor: Int32
    let pageSize: Int
    /// How many whole pages the file has.
    let pageCount: UInt64
    private var visited: UInt64 = 0

    init(descriptor: Int32, pageSize: Int, pageCount: UInt64) {
        self.descriptor = descriptor
        self.pageSize = pageSize
        self.pageCount = pageCount
    }

    private enum Flag {
        static let branch: UInt16 = 1
        static let leaf: UInt16 = 2
        static let overflow: UInt16 = 4
        /// A value on pages of its own.
        static let bigNode: UInt16 = 1
        /// A value that is a table.
        static let tableNode: UInt16 = 2
    }

    private static let header = 16
    private static let nodeHeader = 8
    private static let noPage = UInt64.max
    private static let depthMax = 32

    /// Whether everything below that page is there. A table without rows has no page.
    mutating func isWhole(from root: UInt64, depth: Int = 0) -> Bool {
        guard root != Self.noPage else { return true }
        // A tree has no page twice, so more visits than pages are a circle.
        guard depth < Self.depthMax, visited < pageCount, let page = page(root) else { return false }
        visited += 1
        guard page.number(at: 0) == root, let kind = Optional(page.short(at: 10)) else { return false }
        let count = (Int(page.short(at: 12)) - Self.header) / 2
        guard count > 0, kind == Flag.branch || kind == Flag.leaf, Self.header + count * 2 <= pageSize else {
            return false
        }
        for index in 0..<count {
            let node = Int(page.short(at: Self.header + index * 2))
            guard node + Self.nodeHeader <= pageSize else { return false }
            let isWhole =
                kind == Flag.branch
                ? self.isWhole(from: page.child(at: node), depth: depth + 1) : isLeafNodeWhole(page, node, depth)
            guard isWhole else { return false }
        }
        return true
    }

    private mutating func isLeafNodeWhole(_ page: Page, _ node: Int, _ depth: Int) -> Bool {
        let flags = page.short(at: node + 4)
        let data = node + Self.nodeHeader + Int(page.short(at: node + 6))
        if flags & Flag.tableNode != 0 {
            guard data + 48 <= pageSize else { return false }
            return isWhole(from: page.number(at: data + 40), depth: depth + 1)
        }
        guard flags & Flag.bigNode != 0 else { return true }
        guard data + 8 <= pageSize else { return false }
        let first = page.number(at: data)
        guard let start = self.page(first), start.short(at: 10) == Flag.overflow else { return false }
        let length = UInt64(start.short(at: 12)) | UInt64(start.short(at: 14)) << 16
        return length <= pageCount - first
    }

    private struct Page {
        let bytes: [UInt8]

        func short(at offset: Int) -> UInt16 {
            UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8
        }

        func number(at offset: Int) -> UInt64 {
            (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64($1 * 8) }
        }

        /// The page below a branch's node: 48 bits over three fields.
        func child(at node: Int) -> UInt64 {
            UInt64(short(at: node)) | UInt64(short(at: node + 2)) << 16 | UInt64(short(at: node + 4)) << 32
        }
    }

    private func page(_ number: UInt64) -> Page? {
        guard number < pageCount else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: pageSize) { buffer, count in
            count = max(0, pread(descriptor, buffer.baseAddress, pageSize, off_t(number) * off_t(pageSize)))
        }
        return bytes.count == pageSize ? Page(bytes: bytes) : nil
    }
}
