# frozen_string_literal: true

require_relative "attempt"
require_relative "channel"
require_relative "ending"
require_relative "output"

module Stepwell
  # The worker: says hello, takes attempts, runs each in a thread, and reports how they ended.
  class Worker
    # The version of the worker protocol that this SDK speaks.
    PROTOCOL = 1

    # `handlers` are classes by their names; `carrier` is the way to the engine; `about` are further
    # members of `hello`.
    def initialize(handlers, concurrency, carrier, about = {})
      @handlers = handlers
      @concurrency = concurrency
      @carrier = carrier
      @about = about
      @output = StepOutput.new
      @limits = { "result_bytes_max" => 16 << 20, "line_bytes_max" => 64 << 20 }
      @running = {}
      @lock = Mutex.new
      @bell = Queue.new
      @draining = @refusing = @terminating = false
    end

    # Work until the engine drains the worker, then return. Call it in the main thread.
    def serve
      mine = Process.pid
      # Blocks and not "IGNORE", which child processes would inherit. A forked child is not the worker.
      { "TERM" => 143, "INT" => 130 }.each do |name, status|
        trap(name) { Process.pid == mine ? @bell << name : Process.exit!(status) }
      end
      $stdout = @output
      @carrier.start(JSON.generate(hello)) { |message| take(message) }
      loop do
        case (news = @bell.pop)
        when :done then break
        when "TERM" then terminate(news)
        # The engine that started the worker ends it; at a terminal it is Ctrl-C that does.
        when "INT" then terminate(news) if @carrier.independent?
        end
      end
      @carrier.finish
    end

    private

    def hello
      {
        type: "hello", protocol: PROTOCOL,
        handlers: @handlers.map { |name, handler| { name: name, version: handler.handler_version } },
        concurrency: @concurrency, sdk: "stepwell-ruby #{VERSION}", **@about
      }
    end

    # The reader's thread.

    def take(message)
      case message.fetch("type")
      when "attempt" then begin_attempt(message) unless @refusing
      when "fetched", "checkpointed" then running(message)&.answer(message)
      when "cancel" then running(message)&.cancel(message.fetch("reason", "cancelled"))
      when "lost" then @lock.synchronize { @running.values }.each { |attempt| attempt.cancel("lost") }
      when "drain" then drain
      when "welcome" then @limits = @limits.to_h { |name, _| [name, Integer(message.fetch(name))] }
      end
    end

    def running(message)
      @lock.synchronize { @running[message.fetch("lease")] }
    end

    def begin_attempt(message)
      attempt = Attempt.new(message, @carrier, @limits.fetch("result_bytes_max"))
      context = StepContext.new(message, attempt)
      handler = message.fetch("handler")
      @lock.synchronize { @running[attempt.lease] = attempt }
      # The new thread inherits the mask, so that nothing strikes it outside of the handler.
      Thread.handle_interrupt(Cancelled => :never) do
        Thread.new { serve_attempt(attempt, context, handler) }.report_on_exception = false
      end
    end

    def terminate(name)
      if @carrier.independent?
        Stepwell.leave(128 + Signal.list.fetch(name), "ended at once by a second signal") if @terminating
        @terminating = true
      else
        @refusing = true # what comes now is lost with this process and runs elsewhere
      end
      @carrier.drain { drain }
    end

    def drain
      @lock.synchronize { @draining = true }
      leave_if_done
    end

    def leave_if_done
      @bell << :done if @lock.synchronize { @draining && @running.empty? }
    end

    # The handlers' threads.

    def serve_attempt(attempt, context, handler)
      last = nil
      StepOutput.current = attempt
      last = outcome(attempt, context, handler)
    ensure # also when the handler has ended its own thread
      last ||= Ending.refusal(attempt.lease, ErrorType::HANDLER_ERROR, "the handler has ended its own thread")
      @output.finish_line(attempt)
      attempt.close
      @carrier.send_line(last, attempt.lease, ends: true)
      @lock.synchronize { @running.delete(attempt.lease) }
      leave_if_done
    end

    def outcome(attempt, context, handler)
      result = attempt.cancellable { run(handler, context, attempt.method_name) }
      Ending.line(attempt.lease, result, @limits)
    rescue Cancelled
      Ending.stopped(attempt.lease)
    rescue Exception => e # rubocop:disable Lint/RescueException
      # Such as an exception whose class has no name that can be read.
      Ending.refusal(attempt.lease, ErrorType::HANDLER_ERROR, "cannot report how the attempt ended: #{e.class}")
    end

    def run(name, context, method)
      handler = @handlers[name] || raise(PermanentError, "this worker has no handler #{name}")
      handler.run(context, method)
    rescue Cancelled
      raise
    rescue Exception => e # rubocop:disable Lint/RescueException
      StepHandlerResult.from_exception(e) # a handler's `exit` ends its attempt, not the worker
    end
  end
end
