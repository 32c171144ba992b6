import Stepwell
import StepwellModel

/// `stepwell init`
struct InitCommand: Command {
    static let help = CommandHelp(
        name: "init", summary: "Write a small pipeline with a Python and a command step that runs as it stands.",
        operands: "[DIR]", operandCount: 0...1,
        details: "Files that exist are never overwritten. Without DIR the files are written here.",
        examples: ["stepwell init hello && cd hello"])

    private let directory: String

    init(_ arguments: Arguments) throws {
        directory = arguments.operands.first ?? "."
    }

    func run() async throws -> ExitCode {
        let files = [("pipeline.yaml", StarterProject.pipeline), ("handlers.py", StarterProject.handlers)]
        for (name, _) in files where Files.exists("\(directory)/\(name)") {
            throw FileError(
                path: "\(directory)/\(name)", reason: "exists already; nothing was written", code: "file_exists")
        }
        try Files.makeDirectory(directory)
        for (name, text) in files {
            try Files.create("\(directory)/\(name)", text)
            output("wrote \(directory)/\(name)")
        }
        output(
            """

            Run it\(directory == "." ? "" : " from there"):
              stepwell run pipeline.yaml --worker 'python3 -m stepwell worker handlers.py'
            'python3 -m stepwell' is the Python SDK: pip install Sources/Workers/python, from the project's folder.
            """)
        return .success
    }
}

/// What `stepwell init` writes.
enum StarterProject {
    static let pipeline = """
        # Three steps: a command and a Python handler side by side, and a handler that joins them.
        # 'stepwell validate pipeline.yaml' checks this file; docs/template-reference.md explains every key.
        name: hello
        namespace_name: examples
        version: "1.0.0"
        description: Counts the files here and greets whoever is named in the input.

        steps:
          - name: count_files
            description: Any program can be a step; it prints its result as JSON.
            handler:
              command: ["sh", "-c", "printf '{\\"files\\": %d}' \\"$(ls | wc -l)\\""]
            timeout_seconds: 10

          - name: greet
            handler:
              callable: hello.greet
              initialization: { greeting: "Hello" }
            retry: { max_attempts: 3, backoff: exponential, initial_delay: 1, max_delay: 30 }

          - name: report
            handler: { callable: hello.report }
            dependencies: [count_files, greet]

        """

    static let handlers = """
        \"\"\"The handlers of pipeline.yaml.

        Run by: stepwell run pipeline.yaml --worker 'python3 -m stepwell worker handlers.py'
        \"\"\"

        from stepwell import StepHandler, depends_on, inputs, step_handler


        class Greet(StepHandler):
            handler_name = "hello.greet"
            handler_version = "1.0.0"

            def call(self, context):
                name = context.get_input_or("name", "world")
                print(f"greeting {name}")  # goes to the step's log: stepwell logs TASK greet
                return self.success({"text": f"{context.get_config('greeting')}, {name}!"})


        @step_handler("hello.report")
        @depends_on(count="count_files", greeting="greet")
        def report(count, greeting, context):
            return {"report": f"{greeting['text']} There are {count['files']} files here."}

        """
}
