import CLinux

/// Lets writes to a file go past the system's cache, or no more. Whether the file system can do so.
func bypassCache(_ descriptor: Int32, _ bypasses: Bool) -> Bool {
    linux_bypass_cache(descriptor, bypasses ? 1 : 0) == 0
}
