import Glibc

/// Sends a server requests and worker messages that are almost right, and looks at each answer. `tools/fuzz` starts it.
@main
struct Main {
    static func main() {
        do throws(Fault) {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            if let path = options.replay { return replay(try Files.read(path), options.targets[0]) }
            if options.isLineWorker {
                var worker = try LineWorker(options)
                return worker.perform()
            }
            var run = try Run(options)
            exit(run.perform() ? 0 : 1)
        } catch {
            Files.say("error: \(error)", on: 2)
            exit(2)
        }
    }

    /// Sends what an earlier run has kept, and prints what comes.
    private static func replay(_ bytes: [UInt8], _ target: Target) {
        guard let descriptor = target.connect() else {
            Files.say("error: nobody listens", on: 2)
            exit(2)
        }
        var sent = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if sent < bytes.count {
                let count = bytes.withUnsafeBytes {
                    send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
                }
                if count > 0 { sent += count }
            }
            var polled = pollfd(fd: descriptor, events: Int16(POLLIN | (sent < bytes.count ? POLLOUT : 0)), revents: 0)
            guard poll(&polled, 1, 3000) > 0 else { return }
            guard polled.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 else { continue }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return Files.say("\nclosed by the server") }
            Files.say(Run.printable(Array(buffer[..<count]), buffer.count))
        }
    }
}
