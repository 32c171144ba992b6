# frozen_string_literal: true

module Stepwell
  # One running of one attempt: its conversation with the engine, and its end by `cancel`.
  #
  # `cancel` and `answer` are called by the thread that reads from the engine, all else by the
  # handler's thread. The fence orders the two: once `close` has returned, nothing reaches the thread.
  # @api private
  class Attempt
    LINE_MAX = 1 << 16 # characters; a longer line of the log is cut into several
    private_constant :LINE_MAX

    attr_reader :lease, :method_name, :cancel_reason

    def initialize(message, carrier, payload_max)
      @lease = Integer(message.fetch("lease"))
      @method_name = message.fetch("method", "call")
      @carrier = carrier
      @payload_max = payload_max
      @fence = Mutex.new
      @answers = Queue.new
      @asking = Mutex.new # one question at a time, also when the handler has threads of its own
      @questions = 0
      @closed = false
    end

    # Make the handler stop, wherever it is.
    def cancel(reason)
      @fence.synchronize do
        next if @closed || @cancel_reason

        @cancel_reason = reason
        @thread&.raise(Cancelled.new(reason))
      end
    end

    # Hand over `fetched` or `checkpointed`.
    def answer(message)
      @answers << message
    end

    # Whether the attempt has ended; what comes now no longer belongs to it.
    def closed?
      @closed
    end

    # Run the block as the part that a `cancel` may cut off. The thread must have `Cancelled` masked.
    def cancellable(&block)
      @fence.synchronize do
        raise Cancelled, @cancel_reason if @cancel_reason

        @thread = Thread.current
      end
      Thread.handle_interrupt(Cancelled => :immediate, &block)
    ensure
      @fence.synchronize { @thread = nil }
    end

    def close
      @fence.synchronize { @closed = true }
    end

    # The engine, as the context sees it.

    def fetch(step)
      reply = @asking.synchronize do
        number = @questions += 1
        send_line(Payload.encode({ type: "fetch", lease: lease, id: number, step: step }, "step"))
        await("fetched") { |it| it["id"] == number }
      end
      raise RetryableError, "cannot have the result of step #{step}: #{reply['error']}" unless reply["error"].nil?

      reply.fetch("result")
    end

    def save_checkpoint(data)
      body = Payload.encode(data, "checkpoint")
      if body.bytesize > @payload_max
        raise PermanentError, "checkpoint is #{body.bytesize} bytes; the limit is #{@payload_max}"
      end

      reply = @asking.synchronize do
        send_line(%({"type":"checkpoint","lease":#{lease},"data":#{body}}))
        await("checkpointed") { true }
      end
      raise RetryableError, "checkpoint refused: #{reply['error']}" unless reply["error"].nil?
    end

    def heartbeat(progress)
      return if closed?

      body = progress.nil? ? nil : Payload.encode_leniently(progress)
      body = nil if body && body.bytesize > @payload_max
      send_line(%({"type":"heartbeat","lease":#{lease}#{",\"progress\":#{body}" if body}}))
    end

    # Each line of `text` becomes one line of the step's log; without an attempt it goes to standard error.
    def log(level, text)
      return $stderr.write("#{text}\n") if closed?

      Payload.clean(text).split("\n", -1).then { |lines| lines.empty? ? [""] : lines }.each do |line|
        (line.empty? ? [""] : line.scan(/.{1,#{LINE_MAX}}/m)).each do |part|
          send_line(JSON.generate({ type: "log", lease: lease, level: level, text: part }))
        end
      end
    end

    private

    def send_line(line)
      @carrier.send_line(line, lease)
    end

    def await(type)
      loop do
        reply = @answers.pop
        return reply if reply["type"] == type && yield(reply)
      end
    end
  end
end
