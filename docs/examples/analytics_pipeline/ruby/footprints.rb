# frozen_string_literal: true

# What the example's tests want to see of a handler: that it began, that it ended, and slowness.
#
# Prepended to a handler class, it leaves `start STEP ATTEMPT` and `end STEP ATTEMPT` in the file that
# STEP_COUNTER_FILE names. STEP_DELAY_MS makes every step take that much longer, for demonstrations.
module Footprints
  def call(context)
    leave("start", context)
    context.sleep(ENV["STEP_DELAY_MS"].to_f / 1000) if ENV["STEP_DELAY_MS"]
    result = super
    leave("end", context)
    result
  end

  private

  def leave(what, context)
    path = ENV["STEP_COUNTER_FILE"] or return
    # One write, so that lines of several processes do not mix.
    File.open(path, File::WRONLY | File::APPEND | File::CREAT, 0o644) do |file|
      file.syswrite("#{what} #{context.step_name} #{context.attempt}\n")
    end
  end
end
