# frozen_string_literal: true

module Stepwell
  # What one wait knows of its server's absence: who waits for a task anyway goes on waiting.
  # `over` is when the wait ends, on the monotonic clock, or nil.
  # @api private
  class Absence
    PATIENCE = 300.0 # seconds that a server may be away
    PAUSE_MIN = 0.1
    PAUSE_MAX = 2.0
    private_constant :PATIENCE, :PAUSE_MIN, :PAUSE_MAX

    def initialize(over)
      @over = over
      ended
    end

    # Pause before the server is asked again. Raises the error if it does not pass, or has lasted for too long.
    def outlast(error)
      now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      @begun ||= now
      over = [@begun + PATIENCE, @over].compact.min
      raise error if !error.may_pass? || now >= over

      sleep([@pause, over - now].min)
      @pause = [@pause * 2, PAUSE_MAX].min
    end

    # The server has answered.
    def ended
      @begun = nil
      @pause = PAUSE_MIN
    end
  end
end
