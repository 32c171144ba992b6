# frozen_string_literal: true

require_relative "engine"

# The protocol, spoken by a real worker process. Tests/WorkerConformance has what all languages share.
class ConversationTest < Minitest::Test
  def run_once(source, **members)
    ScriptedEngine.with(source) { |engine| engine.run("it", **members) }
  end

  def logs(messages)
    messages.select { |message| message["type"] == "log" }.map { |message| message.values_at("level", "text") }
  end

  def test_hello
    ScriptedEngine.with(%(step_handler("größe", version: "2.0.0") { 1 }), concurrency: 3) do |engine|
      assert_equal([{ "name" => "größe", "version" => "2.0.0" }], engine.hello["handlers"])
      assert_equal(3, engine.hello["concurrency"])
      assert_match(/\Astepwell-ruby /, engine.hello["sdk"])
    end
  end

  def test_prints_are_lines_of_the_log
    messages = run_once(<<~'RUBY')
      step_handler("it") do |context:|
        puts "one", ["two", 3]
        print "fo"
        $stdout << "ur\nfi" << "ve\n"
        $stdout.printf("%02d\n", 6)
        p :seven
        pp "eight"
        context.log.warn("a\nb")
        context.log.debug { "made" }
        print "no end 李"
        nil
      end
    RUBY
    assert_equal(
      [*%w[one two 3 four five 06 :seven "eight"].map { |text| ["info", text] }, %w[warning a], %w[warning b],
       %w[debug made], ["info", "no end 李"]],
      logs(messages)
    )
    assert_nil(messages.last["result"])
  end

  def test_what_is_not_the_handlers_print_goes_to_standard_error
    ScriptedEngine.with(<<~RUBY) do |engine|
      step_handler("it") do
        system("echo from the shell")
        Thread.new { puts "from a thread" }.join
        Process.wait(fork { puts "from a child" })
        STDOUT.puts "to the constant"
        1
      end
    RUBY
      assert_equal(["result"], engine.run("it").map { |message| message["type"] })
      engine.end_input
      assert_equal(0, engine.status)
      assert_equal(["from the shell", "from a thread", "from a child", "to the constant"], engine.errors.lines.map(&:chomp))
    end
  end

  def test_a_handler_that_spins_is_stopped
    ScriptedEngine.with(<<~RUBY) do |engine|
      step_handler("it") do |context:|
        context.heartbeat
        begin
          loop { nil }
        rescue StandardError
          retry
        ensure
          puts "tidied up"
        end
      end
      step_handler("after") { 1 }
    RUBY
      lease = engine.attempt("it")
      assert_equal("heartbeat", engine.read["type"])
      engine.cancel(lease)
      messages = engine.read_to_end
      assert_equal([%w[info] + ["tidied up"]], logs(messages))
      assert_equal({ "type" => "stopped", "lease" => lease }, messages.last)
      assert_equal("result", engine.run("after").last["type"])
    end
  end

  def test_a_handler_may_look_for_itself
    ScriptedEngine.with(<<~RUBY) do |engine|
      step_handler("it") do |context:|
        Thread.handle_interrupt(Stepwell::Cancelled => :never) do
          context.heartbeat
          sleep 0.001 until context.cancelled?
          puts context.cancel_reason
        end
      end
    RUBY
      lease = engine.attempt("it")
      engine.read
      engine.cancel(lease, "timeout")
      messages = engine.read_to_end
      assert_equal([%w[info timeout]], logs(messages))
      assert_equal("stopped", messages.last["type"])
    end
  end

  def test_a_cancel_that_comes_as_the_handler_ends_strikes_nothing_else
    ScriptedEngine.with("step_handler('it') { 1 }", concurrency: 4) do |engine|
      leases = Array.new(300) { engine.attempt("it").tap { |lease| engine.cancel(lease) } }
      ends = leases.map { engine.read }
      assert_equal(leases, ends.map { |message| message["lease"] }.sort)
      assert_empty(ends.map { |message| message["type"] } - %w[result stopped])
      assert_equal(1, engine.run("it").last["result"])
    end
  end

  def test_whatever_a_handler_does_ends_its_attempt_only
    ScriptedEngine.with(<<~RUBY) do |engine|
      step_handler("it") { |context:| eval(context.get_input("code")) }
    RUBY
      {
        "exit" => /SystemExit/, "Thread.exit" => /ended its own thread/, "throw :x" => /UncaughtThrowError/,
        "raise Exception, 'all'" => /Exception: all/, "def f = f; f" => /SystemStackError/,
        "Class.new(StandardError) { def message = raise }.new.then { |e| raise e }" => /cannot be read/,
        "raise Class.new(Exception)" => /without a name|#<Class/, "abort 'enough'" => /enough/, "Float::NAN" => /result is NaN/
      }.each do |code, words|
        last = engine.run("it", input: { code: code }).last
        assert_equal("failure", last["type"], code)
        assert_match(words, last["message"])
      end
      assert_equal(3, engine.run("it", input: { code: "1 + 2" }).last["result"])
    end
  end

  def test_the_backtrace_begins_in_the_handler
    failure = run_once(%(step_handler("it") { {}.fetch(:no) })).last
    assert_match(/\AKeyError: key not found/, failure["message"])
    assert_match(/\A\S*handlers\.rb:3:in .*fetch.*\(KeyError\)/, failure["backtrace"].lines.first)
    refute_match(/worker\.rb/, failure["backtrace"])
    assert_equal("KeyError", failure["metadata"]["exception_type"])
  end

  def test_errors_say_what_they_know
    failure = run_once(<<~RUBY).last
      step_handler("it") do
        raise Stepwell::NetworkError.new("down", status_code: 503, retry_after: 1.5, error_code: "E", context: { odd: Object })
      end
    RUBY
    assert_equal(["down", "retryable_error", true, "E", 1500],
                 failure.values_at("message", "error_type", "retryable", "error_code", "retry_after_ms"))
    assert_equal([503, "Object"], failure["metadata"].values_at("status_code", "odd"))
  end

  def test_two_threads_of_one_handler_may_ask
    ScriptedEngine.with(<<~RUBY) do |engine|
      step_handler("it") do |context:|
        %w[a b].map { |step| Thread.new { context.get_dependency_result(step) } }.map(&:value)
      end
    RUBY
      engine.attempt("it", fetchable: %w[a b])
      2.times do
        question = engine.read
        engine.send_message(type: "fetched", lease: question["lease"], id: question["id"], result: question["step"] * 2)
      end
      assert_equal(%w[aa bb], engine.read["result"])
    end
  end

  def test_sigterm_lets_the_attempts_at_hand_end
    ScriptedEngine.with(<<~RUBY) do |engine|
      step_handler("it") do |context:|
        context.heartbeat
        context.get_dependency_result("far")
      end
    RUBY
      lease = engine.attempt("it", fetchable: ["far"])
      assert_equal(%w[heartbeat fetch], [engine.read["type"], (question = engine.read)["type"]])
      engine.signal("INT")
      engine.signal("TERM")
      engine.send_message(type: "fetched", lease: lease, id: question["id"], result: 5)
      assert_equal(5, engine.read["result"])
      assert_equal({ "type" => "drained" }, engine.read)
      assert_equal(0, engine.status)
    end
  end

  def test_half_a_line_is_the_engines_end
    ScriptedEngine.with("step_handler('it') { 1 }") do |engine|
      engine.send_text('{"type":"att')
      engine.end_input
      assert_equal(0, engine.status)
      assert_empty(engine.errors)
    end
  end

  def test_a_warning_of_ruby_is_none
    ScriptedEngine.with("step_handler('it') { 1 }") do |engine|
      engine.run("it")
      engine.send_message(type: "drain")
      engine.read
      assert_equal(0, engine.status)
      assert_empty(engine.errors)
    end
  end
end
