# frozen_string_literal: true

# The conformance worker: handlers that Tests/WorkerConformance puts every SDK to the test with.

$LOAD_PATH.unshift(File.join(__dir__, "lib"))
require "stepwell"
require "stepwell/command"

include Stepwell::StepHandler::Functional # rubocop:disable Style/MixinUsage

# Everything that the handler can see.
step_handler "echo" do |context:|
  {
    input: context.input_data, config: context.step_config,
    dependencies: context.get_dependency_result_keys.to_h { |name| [name, context.get_dependency_result(name)] },
    attempt: context.attempt, idempotency_key: context.idempotency_key, checkpoint: context.checkpoint,
    deadline: context.deadline && (context.deadline.to_r * 1000).round
  }
end

# Fails as its configuration says.
class Fail < Stepwell::StepHandler::Base
  handler_name "fail"

  ERRORS = {
    "retryable" => Stepwell::RetryableError, "permanent" => Stepwell::PermanentError,
    "validation" => Stepwell::ValidationError
  }.freeze

  def call(context)
    kind, message = context.step_config.values_at("kind", "message")
    raise message if kind == "crash"

    wait = context.get_config("retry_after_ms")
    more = { error_code: context.get_config("error_code"), retry_after: wait && (wait / 1000.0),
             retryable: context.step_config["retryable"] }.compact
    error_type = context.get_config("error_type")
    return failure(message, **more, **{ error_type: error_type }.compact) if kind == "returned"

    error = ERRORS.fetch(kind).new(message, **more)
    error.error_type = error_type if error_type
    raise error
  end
end

# Saves `config.data`.
step_handler "checkpoint" do |context:|
  context.save_checkpoint(context.step_config["data"])
  { saved: true }
end

# Shows a sign of life.
step_handler "progress" do |context:|
  context.heartbeat({ done: 1, of: 2 })
  {}
end

# Says three words.
step_handler "log" do |context:|
  context.log.info("one")
  context.log.warning("two")
  puts "three"
  {}
end

# The result of a far step.
step_handler "fetch" do |context:|
  { fetched: context.get_dependency_result(context.get_config("step")) }
end

# Waits until it is stopped.
step_handler("wait") { |context:| context.sleep }

# Tells which of its methods was called.
class TwoMethods < Stepwell::StepHandler::Base
  handler_name "method"

  def call(_context)
    success(result: { method: "call" })
  end

  # The second method.
  def other(_context)
    success(result: { method: "other" })
  end
end

# A result with metadata.
class Metadata < Stepwell::StepHandler::Base
  handler_name "metadata"
  handler_version "2.1.0"

  def call(_context)
    success(result: { ok: true }, metadata: { rows: 3 })
  end
end

# A result of any size.
step_handler("large") { |context:| { text: "x" * context.get_config("bytes") } }

# Lists within lists.
step_handler("deep") { |context:| (1..context.get_config("levels")).reduce(nil) { |inner, _| [inner] } }

# The input, as it came.
step_handler("unicode") { |context:| context.input_data }

# What the attempt's span is called.
step_handler("trace") { |context:| { traceparent: context.traceparent } }

# Waits for a file.
step_handler "slow" do |context:|
  sleep 0.01 until File.exist?(context.get_config("file"))
  {}
end

exit(Stepwell::Command.serve(ARGV, concurrency: 4)) if $PROGRAM_NAME == __FILE__
