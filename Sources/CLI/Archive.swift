import CLinux
import CZstd
import Glibc
import Stepwell
import StepwellHistory

/// A file of runs, compressed by Zstandard in one frame for each step, so that it may grow and be cut off: what is whole stays readable.
final class Archive {
    private let path: String
    private let descriptor: Int32

    /// Opens or makes the file. A frame that was cut off, by kill -9 or a full disk, is taken away: its tasks are still in the store.
    init(_ path: String) throws {
        self.path = path
        descriptor = linux_open(path, O_RDWR | O_CREAT, 0o666)
        guard descriptor >= 0 else { throw FileError.last(path, "unwritable_file") }
        let whole: Int
        do {
            let bytes = try Files.read(path, bytesMax: .max)
            guard bytes.isEmpty || Self.isArchive(bytes) else {
                throw FileError(path: path, reason: "it is there and no archive", code: "file_exists")
            }
            whole = Self.wholeFrames(bytes)
        } catch {
            close(descriptor)
            throw error
        }
        guard ftruncate(descriptor, off_t(whole)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
            throw FileError.last(path, "unwritable_file")
        }
    }

    deinit { close(descriptor) }

    /// Adds runs, and returns when they are on the disk.
    func append(_ text: [UInt8]) throws {
        var frame = [UInt8](repeating: 0, count: ZSTD_compressBound(text.count))
        let count = ZSTD_compress(&frame, frame.count, text, text.count, 3)
        guard ZSTD_isError(count) == 0 else {
            throw FileError(path: path, reason: String(cString: ZSTD_getErrorName(count)), code: "unwritable_file")
        }
        var rest = frame[..<count]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw FileError.last(path, "unwritable_file") }
            rest = rest.dropFirst(written)
        }
        guard fsync(descriptor) == 0 else { throw FileError.last(path, "unwritable_file") }
    }

    /// What a file with these bytes holds: the runs of an archive, or just them if it is none.
    static func content(of bytes: [UInt8]) throws -> [UInt8] {
        guard isArchive(bytes) else { return bytes }
        let whole = wholeFrames(bytes)
        guard whole == bytes.count else { throw BundleError.truncated }
        var text: [UInt8] = []
        var start = 0
        try bytes.withUnsafeBytes { bytes in
            while start < whole {
                let frame = UnsafeRawBufferPointer(rebasing: bytes[start...])
                let length = ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
                let size = ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
                // Frames of this program say their size.
                guard size <= UInt64(Int32.max) * 8 else { throw BundleError.notABundle }
                var part = [UInt8](repeating: 0, count: Int(size))
                let count = ZSTD_decompress(&part, part.count, frame.baseAddress, length)
                guard ZSTD_isError(count) == 0, count == part.count else {
                    throw BundleError.damaged(line: 1, "the archive cannot be decompressed at byte \(start)")
                }
                text += part
                start += length
            }
        }
        return text
    }

    private static func isArchive(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) }

    /// How many bytes are whole frames.
    private static func wholeFrames(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { bytes in
            var end = 0
            while end < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[end...])
                let length = ZSTD_findFrameCompressedSize(rest.baseAddress, rest.count)
                guard ZSTD_isError(length) == 0 else { break }
                end += length
            }
            return end
        }
    }
}
