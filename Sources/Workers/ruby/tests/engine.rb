# frozen_string_literal: true

require_relative "helper"

# The engine's side of the protocol, played by a test against a real worker process.
class ScriptedEngine
  PRELUDE = "require 'stepwell'\ninclude Stepwell::StepHandler::Functional\n"

  attr_reader :hello

  def initialize(source, concurrency: 2)
    @folder = Dir.mktmpdir
    path = File.join(@folder, "handlers.rb")
    File.write(path, PRELUDE + source)
    @input, @output, @errors, @process = Open3.popen3(
      { "STEPWELL_WORKER" => "1" }, *Helper::RUBY, Helper::PROGRAM, path, "--concurrency", concurrency.to_s
    )
    @watchdog = Thread.new { sleep(Helper::SAFETY_NET) and Process.kill("KILL", @process.pid) }
    @lease = 0
    @hello = read
    send_message(type: "welcome", protocol: 1, worker: "ruby#1", result_bytes_max: 1 << 24, line_bytes_max: 1 << 26)
  end

  # Yields an engine, and ends its worker.
  def self.with(source, **options)
    engine = new(source, **options)
    yield engine
  ensure
    engine&.close
  end

  def close
    @watchdog.kill
    begin
      Process.kill("KILL", @process.pid)
    rescue Errno::ESRCH
      nil
    end
    @process.value
    [@input, @output, @errors].each(&:close)
    FileUtils.remove_entry(@folder)
  end

  def send_message(message)
    send_text("#{JSON.generate(message)}\n")
  end

  def send_text(text)
    @input.write(text)
    @input.flush
  end

  # The worker's next message.
  def read
    line = @output.gets or raise "the worker has gone: #{@errors.read}"
    JSON.parse(line)
  end

  # Messages up to and with the one that ends an attempt.
  def read_to_end
    messages = [read]
    messages << read until %w[result failure stopped].include?(messages.last["type"])
    messages
  end

  # Send an attempt and return its lease.
  def attempt(handler, **members)
    @lease += 1
    send_message(
      type: "attempt", lease: @lease, task_id: "t", step_id: "s", step: "the_step", handler: handler, method: "call",
      namespace: "tests", task_name: "conversation", task_version: "1.0.0", correlation_id: "c", attempt: 1,
      max_attempts: 3, idempotency_key: "k", deadline: nil, input: {}, config: {}, dependencies: {}, fetchable: [],
      dependency_names: [], **members
    )
    @lease
  end

  # Send an attempt and return what the worker says until it ends.
  def run(handler, **members)
    attempt(handler, **members)
    read_to_end
  end

  def cancel(lease, reason = "cancelled")
    send_message(type: "cancel", lease: lease, reason: reason)
  end

  def signal(name)
    Process.kill(name, @process.pid)
  end

  def end_input
    @input.close
  end

  def status
    @process.value.exitstatus
  end

  def errors
    @errors.read
  end
end
