import CLinux
import Glibc

/// Where the memory of this process comes from.
enum Heaps {
    /// Two for each processor, so that hardly any thread waits for another. Of eight, which is what the system takes, each would keep what its
    /// largest moment has needed: a server that has answered millions of requests held half as much more for it.
    static func share() {
        linux_share_heaps(Int32(clamping: 2 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    }
}
