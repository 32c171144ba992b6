import CLinux
import Glibc
import Stepwell

/// What this process takes of the machine now.
struct ProcessFigures {
    var heapBytes = 0
    var heapUsedBytes = 0
    /// Nil, as the descriptors are, when there is no descriptor left to look with: whoever runs out of them needs the other figures.
    var residentBytes: Int?
    var virtualBytes: Int?
    var processorSeconds = 0.0
    var descriptors: Int?
    var descriptorsMax: UInt64 = 0

    static func now() -> ProcessFigures {
        var figures = ProcessFigures()
        linux_heap(&figures.heapBytes, &figures.heapUsedBytes)
        // proc(5): all pages, those in memory, and more.
        let pages = (try? Files.read("/proc/self/statm")).map { bytes in
            String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
        }
        if let pages, pages.count > 1 {
            (figures.virtualBytes, figures.residentBytes) = (pages[0] * pageBytes, pages[1] * pageBytes)
        }
        figures.processorSeconds = Double(linux_processor_nanoseconds()) / 1_000_000_000
        // The folder itself is open while it is read.
        figures.descriptors = (try? Files.names(in: "/proc/self/fd")).map { $0.count - 1 }
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        figures.descriptorsMax = UInt64(limit.rlim_cur)
        return figures
    }

    private static let pageBytes = sysconf(Int32(_SC_PAGESIZE))
}
