# frozen_string_literal: true

require_relative "absence"
require_relative "answers"
require_relative "asking"
require_relative "history"
require_relative "limits"
require_relative "operations"
require_relative "templates"
require_relative "webhooks"

module Stepwell
  # The task did not settle in time; `task` is how it was then.
  class NotSettled < StandardError
    # @return [Task]
    attr_reader :task

    def initialize(task, timeout)
      super("task #{task.task_id} is #{task.state} after #{timeout} s")
      @task = task
    end
  end

  # Submits tasks to a server (`stepwell serve`), looks at them, waits for them. For several threads.
  #
  #   client = Stepwell::Client.new
  #   task = client.create_task("prices", namespace: "shop", context: { currency: "EUR" })
  #   client.wait(task.task_id, timeout: 60).result("add")
  #
  # All methods raise `ApiError`.
  class Client
    include Asking
    include HistoryCalls
    include TemplateCalls
    include LimitCalls
    include WebhookCalls
    include OperationCalls

    WAIT_SLICE = 30.0 # seconds of one request of `wait`
    private_constant :WAIT_SLICE

    # `url` is `http://HOST:PORT`, `https://HOST:PORT` or `unix:PATH`; else STEPWELL_URL, else
    # http://127.0.0.1:7420. `token` is else STEPWELL_TOKEN. `initiator` and `source_system` are
    # noted with all tasks that it creates. `timeout` is how many seconds an answer may take.
    # Raises `BadAddress`.
    def initialize(url: nil, token: nil, initiator: nil, source_system: nil, timeout: 60)
      named = ENV["STEPWELL_URL"].to_s
      @address = Address.new(url || (named.empty? ? Address::DEFAULT : named))
      @token = token || ENV.fetch("STEPWELL_TOKEN", nil)
      @origin = { initiator: initiator, source_system: source_system }.compact
      @timeout = timeout
      @idle = Queue.new
    end

    # @!group Tasks

    # Submit a task of a template; it is on disk when this returns.
    #
    # `context` is the task's input. Without a `version` the newest counts. The same `idempotency_key`
    # gives the same task, however often it is sent; with `replace` another one.
    # @return [Task]
    def create_task(template = nil, name: template, namespace: "default", context: nil, version: nil, priority: nil,
                    tags: nil, correlation_id: nil, parent_correlation_id: nil, idempotency_key: nil, replace: nil,
                    initiator: nil, source_system: nil, reason: nil)
      wish = {
        name: name, namespace: namespace, context: context, version: version, priority: priority, tags: tags,
        correlation_id: correlation_id, parent_correlation_id: parent_correlation_id,
        idempotency_key: idempotency_key, replace: replace, initiator: initiator, source_system: source_system,
        reason: reason
      }
      Task.read(json("POST", "/v1/tasks", wish_of(wish), repeatable: repeatable?(wish)))
    end

    # Submit many tasks, all or none; each is a hash of what `create_task` takes, with `name`.
    # @return [Array<CreatedTask>]
    def create_tasks(tasks)
      tasks = tasks.map { |task| task.transform_keys(&:to_sym) }
      answer = json("POST", "/v1/tasks/batch", { tasks: tasks.map { |task| wish_of(task) } },
                    repeatable: tasks.all? { |task| repeatable?(task) })
      answer.fetch("tasks").map { |task| CreatedTask.new(task_id: task.fetch("task_id"), created: task.fetch("created")) }
    end

    # A task by its id, the unique beginning of one, its key, or `last`.
    # @return [Task]
    def get_task(task)
      Task.read(json("GET", path("tasks", task)))
    end

    # A page of the tasks that match, newest first. `cursor` is the `next_cursor` of the page before.
    # @return [TaskPage]
    def list_tasks(limit: nil, cursor: nil, namespace: nil, status: nil, name: nil, idempotency_key: nil)
      wanted = { limit: limit, cursor: cursor, namespace: namespace, state: status, name: name, key: idempotency_key }
      answer = json("GET", "/v1/tasks#{query(wanted)}")
      TaskPage.new(tasks: answer.fetch("tasks").map { |task| TaskSummary.read(task) }, next_cursor: answer["next"])
    end

    # All tasks that match, newest first, page after page.
    # @return [Enumerator<TaskSummary>]
    def all_tasks(**wanted)
      Enumerator.new do |summaries|
        cursor = nil
        loop do
          page = list_tasks(**wanted, cursor: cursor)
          page.tasks.each { |task| summaries << task }
          cursor = page.next_cursor
          break if cursor.nil?
        end
      end
    end

    # Wait until a task is settled: complete, cancelled, blocked by failures, or paused.
    #
    # Raises `NotSettled` after `timeout` seconds; without it the wait has no end. It outlives a server that is
    # started again; after five minutes without one, or when the time is over, it raises what was the trouble.
    # @return [Task]
    def wait(task, timeout: nil)
      over = timeout && (now + timeout)
      absence = Absence.new(over)
      loop do
        left = over ? (over - now).clamp(0, WAIT_SLICE) : WAIT_SLICE
        found = Task.read(json("GET", path("tasks", task) + query(wait: "#{(left * 1000).to_i}ms"), limit: left + @timeout))
        return found if found.settled?
        raise NotSettled.new(found, timeout) if over && now >= over

        absence.ended
      rescue ApiError => e
        absence.outlast(e)
      end
    end

    # End a task: nothing more of it runs.
    # @return [Task]
    def cancel_task(task, reason: nil)
      Task.read(json("POST", path("tasks", task, "cancel"), { reason: reason }.compact))
    end

    # Let nothing further of a task begin; what runs goes on to its end.
    # @return [Task]
    def pause_task(task, reason: nil)
      Task.read(json("POST", path("tasks", task, "pause"), { reason: reason }.compact))
    end

    # End the pause of a task.
    # @return [Task]
    def resume_task(task, reason: nil)
      Task.read(json("POST", path("tasks", task, "resume"), { reason: reason }.compact))
    end

    # Let failed steps begin again with fresh attempts: those named, or all of the task.
    # @return [Task]
    def retry_task(task, steps: nil, reason: nil)
      Task.read(json("POST", path("tasks", task, "retry"), { steps: steps, reason: reason }.compact))
    end

    # @!group Steps

    # The steps of a task, in the template's order.
    # @return [Array<Step>]
    def list_task_steps(task)
      json("GET", path("tasks", task, "steps")).fetch("steps").map { |step| Step.read(step) }
    end

    # One step of a task.
    # @return [Step]
    def get_step(task, step)
      Step.read(json("GET", path("tasks", task, "steps", step)), step)
    end

    # All events of a step as CloudEvents, oldest first.
    # @return [Array<Hash>]
    def get_step_audit_history(task, step)
      json("GET", path("tasks", task, "steps", step, "audit")).fetch("events")
    end

    # Settle a step by hand with this result, so that the steps after it can run.
    # @return [Task]
    def resolve_step(task, step, result: nil, reason: nil)
      Task.read(json("POST", path("tasks", task, "steps", step, "resolve"), { result: result, **{ reason: reason }.compact }))
    end

    # @!endgroup

    private

    def wish_of(wish)
      @origin.merge(wish.compact)
    end

    def repeatable?(wish)
      !wish[:idempotency_key].nil? && !wish[:replace]
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end

  # The name that authors of Tasker applications know.
  TaskerClient = Client
end
