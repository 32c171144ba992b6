# frozen_string_literal: true

require "time"

module Stepwell
  # Why the last attempt of a step failed.
  StepError = Struct.new(:message, :error_type, :retryable, :error_code, :metadata, keyword_init: true) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(message: raw["message"].to_s, error_type: raw.fetch("error_type", "handler_error"),
          retryable: raw.fetch("retryable", true), error_code: raw["error_code"], metadata: raw["metadata"] || {})
    end

    # Whether another attempt could have helped.
    def retryable?
      retryable
    end
  end

  # One step of a task; `raw` is the whole answer as it came.
  Step = Struct.new(
    :name, :state, :attempts, :max_attempts, :result, :error, :started_at, :completed_at, :raw, keyword_init: true
  ) do
    # From the server's JSON, which says the name beside or within.
    # @api private
    def self.read(raw, name = "")
      new(name: raw.fetch("name", name), state: raw.fetch("state"), attempts: raw.fetch("attempts"),
          max_attempts: raw.fetch("max_attempts"), result: raw["result"], error: raw["error"] && StepError.read(raw["error"]),
          started_at: Stepwell.time_of(raw["started_at"]), completed_at: Stepwell.time_of(raw["completed_at"]), raw: raw)
    end

    # Whether the step has its result.
    def complete?
      state == "complete"
    end
  end

  # One task with its steps by name, in the template's order; `raw` is the whole answer as it came.
  Task = Struct.new(
    :task_id, :namespace, :name, :version, :state, :input, :idempotency_key, :priority, :submitted_at, :completed_at,
    :steps, :raw, keyword_init: true
  ) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(task_id: raw.fetch("task_id"), namespace: raw.fetch("namespace"), name: raw.fetch("name"),
          version: raw.fetch("version"), state: raw.fetch("state"), input: raw.fetch("input"),
          idempotency_key: raw["key"], priority: raw.fetch("priority", 0),
          submitted_at: Stepwell.time_of(raw["submitted_at"]), completed_at: Stepwell.time_of(raw["completed_at"]),
          steps: raw.fetch("steps").to_h { |name, step| [name, Step.read(step, name)] }, raw: raw)
    end

    # The id, under Tasker's name.
    def task_uuid
      task_id
    end

    # The state, under Tasker's name.
    def status
      state
    end

    # Whether nothing more happens to the task by itself; it may be blocked by failures, or paused.
    def settled?
      SETTLED_STATES.include?(state)
    end

    # Whether all is done and no step is left out by hand.
    def complete?
      state == "complete"
    end

    # The result of a step; nil while there is none. Raises `KeyError` when there is no such step.
    def result(step)
      steps.fetch(step.to_s).result
    end
  end

  # States in which a task does not move any more by itself.
  SETTLED_STATES = %w[complete error cancelled resolved_manually blocked_by_failures paused].freeze

  # One line of a list of tasks; `raw` is the whole answer as it came.
  TaskSummary = Struct.new(
    :task_id, :namespace, :name, :version, :state, :idempotency_key, :steps, :steps_done, :steps_failed,
    :submitted_at, :changed_at, :raw, keyword_init: true
  ) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(task_id: raw.fetch("task_id"), namespace: raw.fetch("namespace"), name: raw.fetch("name"),
          version: raw.fetch("version"), state: raw.fetch("state"), idempotency_key: raw["key"],
          steps: raw.fetch("steps", 0), steps_done: raw.fetch("steps_done", 0), steps_failed: raw.fetch("steps_failed", 0),
          submitted_at: Stepwell.time_of(raw["submitted_at"]), changed_at: Stepwell.time_of(raw["changed_at"]), raw: raw)
    end

    # The id, under Tasker's name.
    def task_uuid
      task_id
    end

    # The state, under Tasker's name.
    def status
      state
    end
  end

  # A page of a list, newest first; `next_cursor` is the cursor of the page after it, nil at the end.
  TaskPage = Struct.new(:tasks, :next_cursor, keyword_init: true)

  # A task of a batch; `created` is false when its idempotency key had a task already.
  CreatedTask = Struct.new(:task_id, :created, keyword_init: true)

  # A template that the server knows.
  Template = Struct.new(:namespace, :name, :version, :digest, keyword_init: true) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(namespace: raw.fetch("namespace"), name: raw.fetch("name"), version: raw.fetch("version"), digest: raw["digest"])
    end
  end

  # @api private
  def self.time_of(text)
    text && Time.iso8601(text)
  end
end
