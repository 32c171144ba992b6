import CLinux
import Glibc

/// Processes that an engine has left behind when it was killed. They carry its ``EngineMark`` in their environment.
package enum Orphans {
    /// Forking processes may escape one pass over `/proc`; the passes end when one finds nothing.
    private static let passesMax = 20
    private static let waitMilliseconds: Int32 = 2000

    /// Kills every process, and its whole group, that was started for the same store by another start of the engine, and
    /// waits until they are gone: then no step of a killed engine runs beside the same step of this one. Returns how many
    /// there were.
    package static func kill(storeID: String, except start: String) -> Int {
        var count = 0
        for _ in 0..<passesMax {
            let found = find(storeID, except: start)
            guard !found.isEmpty else { break }
            for process in found { pidfd_send_signal(process.descriptor, SIGKILL, nil, 0) }
            let gone = wait(for: found.map(\.descriptor))
            for process in found { close(process.descriptor) }
            count += found.count
            // What does not even end when it is killed will not do so in the next pass.
            guard gone else { break }
        }
        return count
    }

    /// A process that stays the same while the descriptor is open, whatever becomes of its number.
    private struct Process {
        var number: pid_t
        var descriptor: Int32
    }

    private static func find(_ storeID: String, except start: String) -> [Process] {
        let spared = [getpid(), getpgrp()]
        let numbers = processNumbers().filter { $0 > 1 && $0 != spared[0] }
        var found: [Process] = []
        var groups: Set<pid_t> = []
        for number in numbers where isMarked(number, storeID, except: start) {
            guard let process = open(number, when: { isMarked(number, storeID, except: start) }) else { continue }
            found.append(process)
            groups.insert(getpgid(number))
        }
        groups.subtract([-1, spared[1]])
        guard !groups.isEmpty else { return found }
        // Members of their groups that have emptied their environment.
        let known = Set(found.map(\.number))
        for number in numbers where !known.contains(number) && groups.contains(getpgid(number)) {
            if let process = open(number, when: { groups.contains(getpgid(number)) && !isZombie(number) }) {
                found.append(process)
            }
        }
        return found
    }

    /// Holds the process first and then looks again: between a look and a signal its number may become somebody else's.
    private static func open(_ number: pid_t, when condition: () -> Bool) -> Process? {
        let descriptor = pidfd_open(number, 0)
        guard descriptor >= 0 else { return nil }
        guard condition() else {
            close(descriptor)
            return nil
        }
        return Process(number: number, descriptor: descriptor)
    }

    /// Whether all have ended in time.
    private static func wait(for descriptors: [Int32]) -> Bool {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let end = Int(time.tv_sec) * 1000 + time.tv_nsec / 1_000_000 + Int(waitMilliseconds)
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while !polled.isEmpty {
            clock_gettime(CLOCK_MONOTONIC, &time)
            let left = end - Int(time.tv_sec) * 1000 - time.tv_nsec / 1_000_000
            guard left > 0 else { return false }
            _ = poll(&polled, nfds_t(polled.count), Int32(left))
            polled.removeAll { $0.revents != 0 }
        }
        return true
    }

    private static func processNumbers() -> [pid_t] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var numbers: [pid_t] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let number = pid_t(name) { numbers.append(number) }
        }
        return numbers
    }

    private static func isMarked(_ number: pid_t, _ storeID: String, except start: String) -> Bool {
        guard let environment = contents(of: "/proc/\(number)/environ") else { return false }
        let name = Array("\(EngineMark.variable)=".utf8)
        for entry in environment.split(separator: 0) where entry.starts(with: name) {
            let marks = String(decoding: entry.dropFirst(name.count), as: UTF8.self).split(separator: ",")
            return marks.contains { mark in
                mark.hasPrefix("\(storeID):") && mark.dropFirst(storeID.utf8.count + 1) != start
            }
        }
        return false
    }

    /// `1234 (name) Z …`; the name may hold anything.
    private static func isZombie(_ number: pid_t) -> Bool {
        guard let status = contents(of: "/proc/\(number)/stat"),
            let end = status.lastIndex(of: UInt8(ascii: ")")), end + 2 < status.count
        else { return true }
        return status[end + 2] == UInt8(ascii: "Z")
    }

    private static func contents(of path: String) -> [UInt8]? {
        let descriptor = linux_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = ByteQueue()
        while true {
            switch bytes.read(from: descriptor) {
            case .some: continue
            case .nothingYet, .end: return bytes.takeAll()
            }
        }
    }
}
