import StepwellKernel
import StepwellModel
import Testing

@Suite("What may be submitted")
struct KeyTests {
    @Test("A key that an open task has is refused, and the refusal names the task")
    func openOwner() throws {
        var story = Story(steps("a"))
        _ = try story.submit("first", key: "2026-11-24")
        #expect(throws: Rejection.duplicateKey("2026-11-24", story["first"])) {
            try story.submit("second", key: "2026-11-24")
        }
        _ = try story.submit("other", key: "2026-11-25")
        _ = try story.submit("none")
        #expect(story.driver.state.openTaskCount == 3)
    }

    @Test("So is a key that a closed task has")
    func closedOwner() throws {
        var story = Story(steps("a"))
        _ = try story.submit("first", key: "k")
        _ = try story.succeed("a", of: "first")
        #expect(story.driver.state.openTask(namespace: "tests", name: "story", key: "k") == nil)
        #expect(throws: Rejection.duplicateKey("k", story["first"])) { try story.submit("second", key: "k") }
    }

    @Test("Whoever asks for another task with the key gets one, and the key names the newest")
    func replacing() throws {
        var story = Story(steps("a"))
        _ = try story.submit("first", key: "k")
        #expect(try story.submit("second", key: "k", replacing: true)[0] == "second: task.submitted")
        #expect(story.driver.state.openTaskCount == 2)
        #expect(story.driver.state.openTask(namespace: "tests", name: "story", key: "k") == story["second"])
        #expect(throws: Rejection.duplicateKey("k", story["second"])) { try story.submit("third", key: "k") }
    }

    @Test("The key does not go back to an older task when the newest has closed")
    func newestClosed() throws {
        var story = Story(steps("a"))
        _ = try story.submit("first", key: "k")
        _ = try story.submit("second", key: "k", replacing: true)
        _ = try story.succeed("a", of: "second")
        #expect(story.driver.state.openTask(namespace: "tests", name: "story", key: "k") == nil)
        #expect(throws: Rejection.duplicateKey("k", story["second"])) { try story.submit("third", key: "k") }
    }

    @Test("Of two submissions with one key in the same turn the first wins")
    func sameTurn() throws {
        var story = Story(steps("a"))
        let (one, two) = (story.submission("one", key: "k"), story.submission("two", key: "k"))
        #expect(throws: Rejection.duplicateKey("k", story["one"])) { try story.turn([one, two]) }
        #expect(story.driver.state.openTaskCount == 1)
    }

    @Test("An id that was used is refused, whether its task is open or closed")
    func duplicateTask() throws {
        var story = Story(steps("a"))
        let request = story.submission("one")
        _ = try story.turn([request])
        #expect(throws: Rejection.duplicateTask(story["one"])) { try story.turn([request]) }
        _ = try story.succeed("a", of: "one")
        #expect(throws: Rejection.duplicateTask(story["one"])) { try story.turn([request]) }
    }

    @Test(
        "A key is short text on one line",
        arguments: [
            ("2026-11-24", true), ("größe ✓", true), (String(repeating: "x", count: 512), true), ("", false),
            (String(repeating: "x", count: 513), false), ("a\nb", false), ("\u{7F}", false), ("\u{85}", false),
        ])
    func keys(key: String, isAllowed: Bool) throws {
        var story = Story(steps("a"))
        if isAllowed {
            _ = try story.submit(key: key)
        } else {
            #expect { try story.submit(key: key) } throws: { ($0 as? Rejection)?.code == "invalid_key" }
        }
        #expect(story.driver.state.openTaskCount == (isAllowed ? 1 : 0))
    }

    @Test("A priority is between -100 and 100", arguments: [(-101, false), (-100, true), (100, true), (101, false)])
    func priorities(priority: Int, isAllowed: Bool) throws {
        var story = Story(steps("a"))
        if isAllowed {
            _ = try story.submit(priority: priority)
        } else {
            #expect(throws: Rejection.priorityOutOfRange(priority)) { try story.submit(priority: priority) }
        }
    }

    @Test("A template that asks for what this version lacks is refused, and so is one without steps")
    func refusedTemplates() throws {
        var story = Story(steps("a"))
        var template = Template.of(steps("a"))
        template.unsupported = ["steps[0].type: batchable"]
        let digest = TemplateDigest([77])
        let id = TaskID(high: 9, low: 9)
        let before = story.driver.state.content
        #expect(throws: Rejection.unsupported(["steps[0].type: batchable"])) {
            try story.turn([story.driver.submit(id, template, digest: digest)])
        }
        #expect(throws: Rejection.noSteps) {
            try story.turn([story.driver.submit(id, .of([]), digest: digest)])
        }
        #expect(story.driver.state.content == before)
        #expect(story.driver.state.plan(digest) == nil)
    }
}
