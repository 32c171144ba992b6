# frozen_string_literal: true

require "yaml"
require_relative "../stepwell"
require_relative "discovery"

module Stepwell
  # Run a handler, or a whole template, in a test, with no engine.
  #
  #   result = Stepwell::Testing.run_handler(Invoice, dependencies: { "validate_cart" => { total: 12 } })
  #   assert_equal({ "due" => 12 }, result.result)
  module Testing
    # Plays the engine for one handler and remembers what the handler told it.
    #
    # `fetchable` holds results of farther ancestors; `fetched` lists those that were asked for.
    class FakeEngine
      # @return [Hash] results of farther ancestors by step name
      attr_reader :fetchable
      # @return [Array] what the handler asked for, saved, and said
      attr_reader :fetched, :checkpoints, :heartbeats, :logs
      # @return [String, nil] set it to have the handler find itself cancelled
      attr_accessor :cancel_reason

      def initialize(fetchable: {}, cancel_reason: nil)
        @fetchable = fetchable.transform_keys(&:to_s)
        @cancel_reason = cancel_reason
        @fetched = []
        @checkpoints = []
        @heartbeats = []
        @logs = []
      end

      def fetch(step)
        fetched << step
        Testing.copy(fetchable.fetch(step), "fetchable.#{step}")
      end

      def save_checkpoint(data)
        checkpoints << Testing.copy(data, "checkpoint")
      end

      def heartbeat(progress)
        heartbeats << progress
      end

      def log(level, text)
        logs << [level, text]
      end
    end

    # How a run of a template ended.
    class Run
      # @return [Hash{String => StepHandlerResult}] how each step ended; those that could not start are absent
      attr_reader :outcomes
      # @return [Hash{String => Integer}] how many attempts each step had
      attr_reader :attempts

      def initialize
        @outcomes = {}
        @attempts = Hash.new(0)
      end

      # Whether all steps succeeded.
      def complete?
        outcomes.any? && outcomes.each_value.all?(&:success?)
      end

      # The result of a step; nil when it did not succeed.
      def result(step)
        outcomes[step.to_s]&.result
      end

      # The results of all steps that succeeded, by name.
      def results
        outcomes.select { |_, outcome| outcome.success? }.transform_values(&:result)
      end
    end

    module_function

    # A context as the engine would give it. `deadline` is in milliseconds since 1970.
    def make_context(input: {}, dependencies: {}, config: {}, attempt: 1, max_attempts: 3, checkpoint: nil,
                     deadline: nil, step: "step", handler: "handler", method: "call", engine: FakeEngine.new)
      dependencies = copy(dependencies, "dependencies")
      StepContext.new(
        {
          "task_id" => "00000000-0000-7000-8000-000000000001", "step_id" => "00000000-0000-7000-8000-000000000002",
          "correlation_id" => "00000000-0000-7000-8000-000000000003",
          "idempotency_key" => "00000000-0000-7000-8000-000000000002",
          "namespace" => "test", "task_name" => "test", "task_version" => "1.0.0",
          "step" => step, "handler" => handler, "method" => method, "attempt" => attempt,
          "max_attempts" => max_attempts, "deadline" => deadline, "input" => copy(input, "input"),
          "config" => copy(config, "config"), "dependencies" => dependencies,
          "dependency_names" => dependencies.keys, "fetchable" => engine.fetchable.keys,
          "checkpoint" => copy(checkpoint, "checkpoint")
        },
        engine
      )
    end

    # Run a handler once; the keywords are those of `make_context`. `handler` is a class, or the name of one.
    #
    # The result has been through JSON, as it would be for the steps that depend on it.
    # @return [StepHandlerResult]
    def run_handler(handler, method: "call", **context)
      handler = Discovery.table(StepHandler::Base.all_handlers).fetch(handler) if handler.is_a?(String)
      name = handler.handler_name || "handler"
      result = handler.run(make_context(handler: name, method: method, step: name, **context), method)
      return result if result.failure?

      result.result = copy(result.result, "result")
      result.metadata = copy(result.metadata, "metadata")
      result
    rescue Payload::NotJSON => e
      StepHandlerResult.failure(e.message, error_type: "result_not_json", retryable: false)
    rescue StandardError, NotImplementedError => e
      StepHandlerResult.from_exception(e)
    end

    # Run all steps of a template in the order of their dependencies, in this thread. A failed step is tried
    # again at once, as often as its `retry` says; what depends on one that fails does not run.
    #
    # `template` is the name of a YAML file, or a parsed template (`{ "steps" => [...] }`), or its list of steps.
    # `handlers` are classes; by default all that are loaded. A step in `results` does not run: it has this result;
    # a command must be there. Raises `ArgumentError` when the template makes no sense. What the engine checks
    # besides, `stepwell validate` says.
    # @return [Run]
    def run_template(template, input: {}, handlers: StepHandler::Base.all_handlers, results: {})
      steps = steps_of(template)
      table = Discovery.table(handlers)
      given = copy(results, "results")
      unknown = given.keys - steps.map { |step| step["name"] }
      raise ArgumentError, "results of what are no steps: #{unknown.join(', ')}" if unknown.any?

      run = Run.new
      waiting = steps.dup
      until waiting.empty?
        step = waiting.find { |it| needs(it).all? { |name| run.outcomes[name]&.success? } }
        break unless step

        waiting.delete(step)
        name = step["name"]
        next run.outcomes[name] = StepHandlerResult.success(given[name]) if given.key?(name)

        run_step(step, steps, table, run, input)
      end
      run
    end

    # `value` as it comes out of JSON.
    # @api private
    def copy(value, place)
      Payload.parse(Payload.encode(value, place))
    end

    def steps_of(template)
      template = YAML.safe_load_file(template, aliases: true) if template.is_a?(String)
      template = copy(template, "template")
      steps = template.is_a?(Hash) ? template.fetch("steps") : template
      names = steps.map { |step| step.fetch("name") }
      raise ArgumentError, "the template has two steps of one name" if names.uniq.size < names.size

      reached = []
      while (found = steps.find { |it| !reached.include?(it["name"]) && (needs(it) - reached).empty? })
        reached << found["name"]
      end
      stuck = names - reached
      raise ArgumentError, "steps that can never start: #{stuck.join(', ')}" if stuck.any?

      steps
    end

    def needs(step)
      Array(step["dependencies"])
    end

    def run_step(step, steps, table, run, input)
      name = step.fetch("name")
      handler = step["handler"].is_a?(Hash) ? step["handler"] : { "callable" => step["handler"] || step["callable"] }
      callable = handler["callable"]
      implementation = table[callable] || raise(ArgumentError, "step #{name}: no handler #{callable.inspect}")
      most = step["retry"].is_a?(Hash) ? step["retry"] : {}
      attempts_max = most["retryable"] == false ? 1 : [most.fetch("max_attempts", 3), 1].max
      checkpoint = nil
      1.upto(attempts_max) do |attempt|
        engine = FakeEngine.new(fetchable: run.results.slice(*ancestors(step, steps) - needs(step)))
        outcome = run_handler(
          implementation, method: handler.fetch("method", "call"), input: input, config: handler["initialization"] || {},
          dependencies: run.results.slice(*needs(step)), step: name, attempt: attempt, max_attempts: attempts_max,
          checkpoint: checkpoint, engine: engine
        )
        checkpoint = engine.checkpoints.last if engine.checkpoints.any?
        run.outcomes[name] = outcome
        run.attempts[name] = attempt
        break if outcome.success? || !outcome.retryable
      end
    end

    def ancestors(step, steps)
      needs(step).flat_map { |name| [name, *ancestors(steps.find { |it| it["name"] == name }, steps)] }.uniq
    end
    private_class_method :steps_of, :needs, :run_step, :ancestors
  end
end
