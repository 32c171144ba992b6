# frozen_string_literal: true

require_relative "answers"

module Stepwell
  # A limit, and how far it is used. `scope` is `namespace` or `handler`; `due_at` is when the rate lets the next attempt
  # start, if one waits for that. `raw` is the whole answer as it came.
  Limit = Struct.new(
    :scope, :name, :concurrency_max, :rate, :burst, :running, :waiting, :due_at, :set_at, :set_by, :reason, :raw,
    keyword_init: true
  ) do
    # From the server's JSON.
    # @api private
    def self.read(raw)
      new(scope: raw.fetch("scope"), name: raw.fetch("name"), concurrency_max: raw["concurrency_max"], rate: raw["rate"],
          burst: raw["burst"], running: raw["running"], waiting: raw["waiting"], due_at: Stepwell.time_of(raw["due_at"]),
          set_at: Stepwell.time_of(raw["set_at"]), set_by: raw["set_by"], reason: raw["reason"], raw: raw)
    end
  end

  # What a client says about limits: how many attempts of a namespace or a handler run at once, and how fast they start.
  # `scope` is `namespace` or `handler`.
  module LimitCalls
    # All limits, and how far each is used.
    # @return [Array<Limit>]
    def list_limits
      json("GET", "/v1/limits").fetch("limits").map { |limit| Limit.read(limit) }
    end

    # The limit of a namespace or a handler.
    # @return [Limit]
    def get_limit(scope, name)
      Limit.read(json("GET", path("limits", scope, name)))
    end

    # Set a limit as a whole: what is left out has no bound. What runs goes on, and counts.
    #
    # `concurrency_max` is how many attempts run at once; 0 lets nothing start. `rate` is how many start
    # in a time, such as `10/s`, `100/min` or `3/h`; `burst` how many at once after a quiet time.
    # @return [Limit]
    def set_limit(scope, name, concurrency_max: nil, rate: nil, burst: nil, reason: nil)
      wish = { concurrency_max: concurrency_max, rate: rate, burst: burst, reason: reason }.compact
      Limit.read(json("PUT", path("limits", scope, name), wish, repeatable: true))
    end

    # Remove a limit: what has waited for it goes on.
    # @return [nil]
    def remove_limit(scope, name, reason: nil)
      tell("DELETE", path("limits", scope, name) + query(reason: reason))
    end
  end
end
