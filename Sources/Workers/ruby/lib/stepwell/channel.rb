# frozen_string_literal: true

module Stepwell
  # End the process at once, whatever its threads are doing.
  # @api private
  def self.leave(status, reason = nil)
    $stderr.write("stepwell: #{reason}\n") if reason
    $stderr.flush
  rescue SystemCallError
    nil # nobody is left to tell
  ensure
    Process.exit!(status)
  end

  # The engine that has started this process: lines on standard input and output.
  #
  # Lines go out through one thread. So a handler's thread hands a line over in a single step that
  # `Cancelled` cannot cut in two, and under load many lines leave in one system call.
  # @api private
  class Channel
    BACKLOG_MAX = 1000 # lines; a handler that prints faster than the engine reads must wait
    private_constant :BACKLOG_MAX

    # Take standard input and output for the protocol. Whatever else writes to descriptor 1, C code
    # or a child process, now writes to standard error.
    def self.claim_standard_streams
      input = $stdin.dup
      output = $stdout.dup
      $stdin.reopen(File::NULL)
      $stdout.flush
      $stdout.reopen($stderr)
      $stdout.sync = true
      new(input, output)
    end

    def initialize(input, output)
      @input = input.binmode
      @output = output.binmode
      @output.sync = true
      @lines = SizedQueue.new(BACKLOG_MAX)
    end

    # Whether a signal ends this worker in good order, and a second one at once.
    def independent?
      false
    end

    def start(hello, &take)
      @writer = Thread.new { write_forever }
      send_line(hello)
      Thread.new { read_forever(&take) }
    end

    # Queue one message; `line` has no line end.
    def send_line(line, _lease = nil, ends: false) # rubocop:disable Lint/UnusedMethodArgument
      @lines << line
    end

    # Call the block when no further attempts can come.
    def drain
      yield
    end

    # Return when everything that was sent has left.
    def finish
      send_line('{"type":"drained"}')
      @lines << nil
      @writer.join
    end

    private

    def read_forever
      while (line = @input.gets("\n"))
        Stepwell.leave(0) unless line.end_with?("\n") # the engine died while it wrote
        begin
          yield Payload.parse(line)
        rescue StandardError => e
          shown = Payload.clean(line[0, 200]).chomp
          Stepwell.leave(1, "cannot read the engine's message: #{e.class}: #{Payload.clean(e.message)[0, 200]} in #{shown}")
        end
      end
      Stepwell.leave(0)
    rescue IOError, SystemCallError
      Stepwell.leave(0)
    end

    def write_forever
      is_open = true
      while is_open
        batch = [@lines.pop]
        batch << @lines.pop until batch.last.nil? || @lines.empty?
        is_open = !batch.last.nil?
        @output.write(batch.compact.map { |line| "#{line}\n" }.join)
      end
    rescue IOError, SystemCallError
      Stepwell.leave(0) # the engine is gone; nobody is left to tell
    end
  end
end
