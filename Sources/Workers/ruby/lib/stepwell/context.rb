# frozen_string_literal: true

module Stepwell
  # What a handler knows about the step that it runs.
  #
  # Whatever it returns belongs to this attempt; changing it changes nothing elsewhere.
  class StepContext
    # `message` is the engine's `attempt`; `engine` is the engine as this one attempt sees it.
    # @api private
    def initialize(message, engine)
      @message = message
      @engine = engine
      @results = message.fetch("dependencies").dup
      @checkpoint = message["checkpoint"]
      @log = StepLog.new(engine)
    end

    # @!group The task's input

    # The whole input of the task.
    def input_data
      @message.fetch("input")
    end
    alias input input_data

    # One member of the input; nil when it is absent.
    def get_input(key)
      input_data[key.to_s]
    end

    # One member of the input; `default` when it is absent or null.
    def get_input_or(key, default = nil)
      value = get_input(key)
      value.nil? ? default : value
    end

    # @!group Results of earlier steps

    # The complete result of an earlier step, near or far; nil if it is not an ancestor.
    #
    # Results of farther steps, and very large ones, are asked for when first wanted.
    def get_dependency_result(step)
      step = step.to_s
      @results[step] = @engine.fetch(step) if !@results.key?(step) && @message.fetch("fetchable").include?(step)
      @results[step]
    end

    # A member deep inside an earlier result; nil when any part of the path is absent.
    def get_dependency_field(step, *path)
      path.inject(get_dependency_result(step)) do |value, key|
        case value
        when Hash then value[key.to_s]
        when Array then key.is_a?(Integer) ? value[key] : nil
        end
      end
    end

    # Names of all steps whose results can be had: direct dependencies first.
    def get_dependency_result_keys
      available = @results.keys | @message.fetch("fetchable")
      (@message.fetch("dependency_names") & available) | available
    end

    # The results of all earlier steps whose names begin with `prefix`, without nils.
    def get_all_dependency_results(prefix = "")
      get_dependency_result_keys.select { |name| name.start_with?(prefix) }.filter_map { |name| get_dependency_result(name) }
    end

    # @!group Configuration: `handler.initialization` of the template

    # The step's whole configuration.
    def step_config
      @message.fetch("config")
    end

    # One member of the configuration; `default` when it is absent or null.
    def get_config(key, default = nil)
      value = step_config[key.to_s]
      value.nil? ? default : value
    end

    # @!group Attempts

    # The number of this attempt; the first is 1.
    def attempt
      @message.fetch("attempt")
    end

    # The number of the last attempt that the step may have, the first one counted.
    def max_attempts
      @message.fetch("max_attempts")
    end
    # Tasker's name, with Tasker's meaning.
    alias max_retries max_attempts

    # How many attempts came before this one.
    def retry_count
      attempt - 1
    end

    # Whether an attempt came before this one.
    def is_retry?
      attempt > 1
    end
    alias retry? is_retry?

    # Whether no attempt can follow this one.
    def is_last_retry?
      attempt >= max_attempts
    end
    alias last_retry? is_last_retry?

    # @!group Checkpoints: what one attempt leaves for the next

    # What the step saved last, in this attempt or an earlier one; nil if nothing.
    attr_reader :checkpoint

    # Whether the step has saved anything.
    def has_checkpoint?
      !@checkpoint.nil?
    end
    alias checkpoint? has_checkpoint?

    # Keep `data` for the next attempt. It is on disk when this returns.
    def save_checkpoint(data)
      @engine.save_checkpoint(data)
      @checkpoint = Payload.parse(Payload.encode(data, "checkpoint"))
      nil
    end

    # Save a checkpoint of the shape that the three accessors below read, and go on.
    def save_cursor(cursor, items_processed: 0, accumulated_results: nil)
      save_checkpoint("cursor" => cursor, "items_processed" => items_processed,
                      "accumulated_results" => accumulated_results)
    end

    # `cursor` of the checkpoint; nil without one.
    def checkpoint_cursor
      of_checkpoint("cursor")
    end

    # `items_processed` of the checkpoint; 0 without one.
    def checkpoint_items_processed
      of_checkpoint("items_processed") || 0
    end

    # `accumulated_results` of the checkpoint; nil without one.
    def accumulated_results
      of_checkpoint("accumulated_results")
    end

    # @!group Life signs and limits

    # Say that the handler is alive; `progress` is any JSON value for the live view.
    def heartbeat(progress = nil)
      @engine.heartbeat(progress)
      nil
    end

    # Whether the attempt was asked to stop. A handler that protects itself from `Cancelled` looks here.
    def cancelled?
      !@engine.cancel_reason.nil?
    end

    # Why the attempt was asked to stop: `timeout`, `cancelled`, `shutdown`, `lost`; nil if it was not.
    def cancel_reason
      @engine.cancel_reason
    end

    # Wait so many seconds, or for ever without a number; a cancellation ends the wait with `Cancelled`.
    def sleep(seconds = nil)
      seconds ? Kernel.sleep(seconds) : Kernel.sleep
    end

    # When the attempt will be ended; nil if never.
    def deadline
      milliseconds = @message["deadline"]
      milliseconds && Time.at(milliseconds.div(1000), milliseconds.modulo(1000), :millisecond).utc
    end

    # @!group Names

    # The task's id.
    def task_uuid
      @message.fetch("task_id")
    end

    # The step's id, the same over all its attempts.
    def step_uuid
      @message.fetch("step_id")
    end

    # The same over all attempts of the step: hand it to services that can tell a repeat.
    def idempotency_key
      @message.fetch("idempotency_key")
    end

    # The task's correlation id.
    def correlation_id
      @message.fetch("correlation_id")
    end

    # W3C `traceparent` of the attempt's span, for what the handler calls; nil from an engine that tells none.
    def traceparent
      @message["traceparent"]
    end

    # The template's namespace.
    def namespace
      @message.fetch("namespace")
    end

    # The template's name.
    def task_name
      @message.fetch("task_name")
    end

    # The template's version.
    def task_version
      @message.fetch("task_version")
    end

    # The step's name in the template.
    def step_name
      @message.fetch("step")
    end

    # The handler's name.
    def handler_name
      @message.fetch("handler")
    end

    # @!endgroup

    # Its lines go to the step's log, also from threads of the handler's own.
    # @return [StepLog]
    attr_reader :log

    private

    def of_checkpoint(key)
      @checkpoint.is_a?(Hash) ? @checkpoint[key] : nil
    end
  end

  # Writes lines of the step's log. Like Ruby's Logger it takes the words, or a block that makes them.
  class StepLog
    # @api private
    def initialize(engine)
      @engine = engine
    end

    %w[debug info warning error].each do |level|
      define_method(level) do |words = nil, &block|
        @engine.log(level, (words.nil? && block ? block.call : words).to_s)
        nil
      end
    end
    alias warn warning
    alias fatal error
  end
end

require_relative "payload"
