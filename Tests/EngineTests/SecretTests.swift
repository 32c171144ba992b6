import CLinux
import Glibc
import StepwellModel
import Testing

@testable import StepwellEngine

@Suite("secrets are looked up when an attempt starts")
struct SecretTests {
    /// A folder of its own, removed at the end.
    private final class Folder {
        let path: String

        init() {
            var name = Array("/tmp/stepwell-secrets-XXXXXX\0".utf8.map { CChar(bitPattern: $0) })
            path = name.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        }

        func put(_ name: String, _ bytes: [UInt8]) {
            let file = fopen("\(path)/\(name)", "w")!
            fwrite(bytes, 1, bytes.count, file)
            fclose(file)
        }

        func put(_ name: String, _ text: String) { put(name, Array(text.utf8)) }

        deinit {
            for name in ["token", "crlf", "short", "empty", "bytes", "large", "zero"] { unlink("\(path)/\(name)") }
            rmdir("\(path)/folder")
            rmdir(path)
        }
    }

    private func store(_ directories: [String] = [], _ variables: [String: String] = [:]) -> SecretStore {
        SecretStore(directories: directories, environment: { variables[$0] })
    }

    @Test(
        "what a text stands for",
        arguments: [
            ("plain", SettingText.literal("plain")), ("secret:db-1.key_X", .secret("db-1.key_X")),
            ("secret::x", .literal("secret:x")), ("secret:::x", .literal("secret::x")), ("secret:", .badName("")),
            ("secret:a b", .badName("a b")), ("secret:../x", .badName("../x")), ("secret:.x", .badName(".x")),
            ("Secret:x", .literal("Secret:x")), ("my secret:x", .literal("my secret:x")),
        ])
    func texts(text: String, meaning: SettingText) {
        #expect(SettingText(text) == meaning)
    }

    @Test("files come before variables, folders in their order, and a line's end does not count")
    func order() throws {
        let (first, second) = (Folder(), Folder())
        second.put("token", "from the second\n")
        second.put("crlf", "windows\r\n")
        let all = store(
            [first.path, second.path], ["STEPWELL_SECRET_TOKEN": "variable", "STEPWELL_SECRET_MY_KEY": "mine"])
        #expect(try all.value(of: "token") == "from the second")
        first.put("token", "from the first\n\n")
        #expect(try all.value(of: "token") == "from the first\n")
        #expect(try all.value(of: "crlf") == "windows")
        #expect(try all.value(of: "my-key") == "mine")
        #expect(try store([], ["STEPWELL_SECRET_a.b": "as written"]).value(of: "a.b") == "as written")
    }

    @Test("what cannot be used is told with its place, and never with its value")
    func unusable() {
        let folder = Folder()
        folder.put("short", "abc\n")
        folder.put("empty", "\n")
        folder.put("bytes", [0xFF, 0xFE, 0xFD, 0xFC])
        folder.put("large", [UInt8](repeating: 0x61, count: SecretStore.bytesMax + 1))
        folder.put("zero", [0x61, 0, 0x62, 0x63])
        mkdir("\(folder.path)/folder", 0o700)
        let store = store([folder.path])
        for (name, code, word) in [
            ("short", "secret_unusable", "shorter than 4 bytes"), ("empty", "secret_missing", "no secret 'empty'"),
            ("bytes", "secret_unusable", "not UTF-8"), ("large", "secret_unusable", "larger than"),
            ("zero", "secret_unusable", "zero byte"), ("folder", "secret_unusable", "no file"),
            ("none", "secret_missing", "no secret 'none'"),
        ] {
            let error = #expect(throws: SecretError.self) { try store.value(of: name) }
            #expect(error?.code == code, "\(name)")
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("abc") == false)
        }
    }

    @Test("a handler's configuration and variables get them, at any depth; the template keeps their names")
    func resolved() throws {
        var handler = HandlerTemplate.command(["true"])
        handler.configuration = JSONText([
            "a": ["secret:token", ["b": "secret::x"]], "secret:token": 1, "c": "secret:token",
        ])
        handler.environment = [EnvironmentVariable("K", "secret:token"), EnvironmentVariable("P", "plain")]
        let secrets = try #require(AttemptSecrets(handler, from: store([], ["STEPWELL_SECRET_TOKEN": "v4lue"])))
        #expect(secrets.configuration == handler.configuration)
        #expect(secrets.redaction.isEmpty)
        try secrets.resolve()
        #expect(
            secrets.configuration.json
                == ["a": ["v4lue", ["b": "secret:x"]], "secret:token": 1, "c": "v4lue"])
        #expect(secrets.environment == [EnvironmentVariable("K", "v4lue"), EnvironmentVariable("P", "plain")])
        #expect(secrets.redaction.text("v4lue") == "[secret:token]")
    }

    @Test("most handlers name none, and cost nothing")
    func none() {
        var handler = HandlerTemplate.callable("h")
        #expect(AttemptSecrets(handler, from: store()) == nil)
        handler.configuration = JSONText(["a": "my secret:b is safe"])
        #expect(AttemptSecrets(handler, from: store()) == nil)
    }

    @Test("what was found before another one is missing is hidden all the same")
    func half() throws {
        var handler = HandlerTemplate.callable("h")
        handler.configuration = JSONText(["a": "secret:one", "b": "secret:two"])
        let secrets = try #require(AttemptSecrets(handler, from: store([], ["STEPWELL_SECRET_ONE": "first"])))
        #expect(throws: SecretError.missing("two", directories: [])) { try secrets.resolve() }
        #expect(secrets.redaction.text("first") == "[secret:one]")
        #expect(secrets.configuration == handler.configuration)
    }

    @Test("lines of no attempt lose all that was ever given out, former values too")
    func known() throws {
        let folder = Folder()
        let store = store([folder.path])
        #expect(store.redaction.isEmpty)
        for value in ["old-value", "new-value"] {
            folder.put("token", value)
            #expect(try store.value(of: "token") == value)
        }
        #expect(store.redaction.text("old-value, new-value") == "[secret:token], [secret:token]")
    }

    @Test("children inherit none of the engine's own")
    func children() {
        var environment = ProcessEnvironment()
        environment["STEPWELL_SECRET_A"] = "1"
        environment["PATH"] = "/bin"
        let stage = ProcessContext(
            host: FakeHost(), mark: EngineMark(storeID: "tests", start: "1"), environment: environment)
        defer { stage.reactor.stop() }
        #expect(stage.environment["STEPWELL_SECRET_A"] == nil)
        #expect(stage.environment["PATH"] == "/bin")
    }
}
