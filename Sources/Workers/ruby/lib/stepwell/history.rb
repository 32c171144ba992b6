# frozen_string_literal: true

require_relative "answers"

module Stepwell
  # A line that a handler has written; `raw` is the whole answer as it came.
  LogLine = Struct.new(:time, :step, :attempt, :level, :text, :raw, keyword_init: true) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(time: Stepwell.time_of(raw["time"]), step: raw.fetch("step"), attempt: raw.fetch("attempt"),
          level: raw.fetch("level"), text: raw.fetch("text"), raw: raw)
    end
  end

  # A page of log lines; `next_cursor` is the cursor of the page after it, nil at the end.
  LogPage = Struct.new(:lines, :next_cursor, keyword_init: true)

  # A page of events, oldest first; what comes later is after `next_after`.
  EventPage = Struct.new(:events, :next_after, keyword_init: true)

  # Why a task or a step waits or has failed: sentences, and the commands that may help. `raw` is the whole answer.
  Explanation = Struct.new(:task_id, :state, :sentences, :actions, :raw, keyword_init: true) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(task_id: raw.fetch("task_id"), state: raw.fetch("state"),
          sentences: raw.fetch("sentences", []).map { |sentence| sentence.fetch("text") },
          actions: raw.fetch("actions", []).map { |action| action.fetch("command") }, raw: raw)
    end
  end

  # The steps of a task by what becomes of them: done, run next, run later, or do not run. `raw` is the whole answer.
  Plan = Struct.new(:reused, :replaced, :next, :later, :held, :warnings, :raw, keyword_init: true) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(reused: raw.fetch("reused"), replaced: raw.fetch("replaced"), next: raw.fetch("next"), later: raw.fetch("later"),
          held: raw.fetch("held"), warnings: raw.fetch("warnings", []), raw: raw)
    end
  end

  # Whether two tasks are alike; `raw` says where they went apart, and all that differs.
  Difference = Struct.new(:alike, :raw, keyword_init: true) do
    # Whether nothing differs.
    def alike?
      alike
    end
  end

  # What a client asks about the past, and about what would be.
  module HistoryCalls
    # A page of the log, oldest first: of one task, or of all. `after` is the `next_after` of the page before.
    # @return [EventPage]
    def list_events(task: nil, after: 0, limit: nil)
      where = task ? path("tasks", task, "events") : path("events")
      answer = json("GET", where + query(after: after, limit: limit))
      EventPage.new(events: answer.fetch("events"), next_after: answer.fetch("next_after"))
    end

    # A page of what the handlers of a task have written. `cursor` is the `next_cursor` of the page before.
    # @return [LogPage]
    def list_log_lines(task, step: nil, limit: nil, cursor: nil)
      answer = json("GET", path("tasks", task, "logs") + query(step: step, limit: limit, cursor: cursor))
      LogPage.new(lines: answer.fetch("lines").map { |line| LogLine.read(line) }, next_cursor: answer["next"])
    end

    # All that the handlers of a task have written, page after page.
    # @return [Enumerator<LogLine>]
    def all_log_lines(task, step: nil)
      Enumerator.new do |lines|
        cursor = nil
        loop do
          page = list_log_lines(task, step: step, cursor: cursor)
          page.lines.each { |line| lines << line }
          cursor = page.next_cursor
          break if cursor.nil?
        end
      end
    end

    # Why a task, or one of its steps, waits or has failed, and what can be done.
    # @return [Explanation]
    def explain_task(task, step: nil)
      Explanation.read(json("GET", path("tasks", task, "explain") + query(step: step)))
    end

    # A drawing of a task's steps with their states: as `text`, `mermaid`, `dot` or `json`.
    # @return [String]
    def draw_task(task, format: "text")
      text(path("tasks", task, "graph") + query(format: format))
    end

    # Compare two tasks.
    # @return [Difference]
    def diff_tasks(task, other)
      answer = json("GET", path("tasks", task, "diff", other))
      Difference.new(alike: answer.fetch("alike"), raw: answer)
    end

    # The whole of a task as a bundle, without the values at these JSON pointers.
    # @return [String]
    def export_task(task, redact: nil)
      text(path("tasks", task, "export") + query(redact: redact))
    end

    # Which steps of a task are done, which run next, and which then.
    # @return [Plan]
    def plan_task(task)
      Plan.read(json("GET", path("tasks", task, "plan")))
    end

    # A new task that takes over the results before the step `from`, and runs that step and all behind it.
    #
    # `input` are members of the input to change, `results` those to take over in place of the recorded
    # ones, by step; `version` is another version of the template.
    # @return [Task]
    def fork_task(task, from:, input: nil, results: nil, version: nil, reason: nil)
      wish = { from: from, input: input, results: results, version: version, reason: reason }.compact
      Task.read(json("POST", path("tasks", task, "fork"), wish))
    end

    # What `fork_task` would come to. Nothing is changed.
    # @return [Plan]
    def plan_fork(task, from:, input: nil, results: nil, version: nil)
      wish = { from: from, input: input, results: results, version: version }.compact
      Plan.read(json("POST", "#{path('tasks', task, 'fork')}?dry_run=true", wish, repeatable: true))
    end
  end
end
