# frozen_string_literal: true

require "monitor"
require_relative "channel"
require_relative "ending"
require_relative "transport"

module Stepwell
  # The engine behind a server (`stepwell serve`): two threads, of which one polls for attempts and one
  # delivers what they say. Neither ever waits for the other.
  # @api private
  class Remote
    NOT_ALLOWED = 77 # exit status: the token is wrong, expired, or not allowed to (EX_NOPERM)
    OTHER_PROTOCOL = 76 # exit status: the server speaks other versions (EX_PROTOCOL)
    MESSAGES_MAX = 1000 # in one delivery
    BYTES_MAX = 8 << 20 # in one delivery of several messages
    BACKLOG_MAX = 1000 # messages; a handler that prints faster than the server takes must wait
    FULL_PAUSE = 0.02 # seconds; so long a full worker waits for a place before it polls for news alone
    DELAY_MAX = 5.0 # seconds between two tries
    GRACE = 10.0 # seconds that an answer may take beyond the wait that was asked for
    FIRST_LIMIT = 40.0 # seconds for the answer to a registration
    FINISH_LIMIT = 5.0 # seconds that the last words of a worker that leaves may take
    private_constant :MESSAGES_MAX, :BYTES_MAX, :BACKLOG_MAX, :FULL_PAUSE, :DELAY_MAX, :GRACE, :FIRST_LIMIT, :FINISH_LIMIT

    # One registration; the server forgets it when it is started again.
    class Session
      attr_reader :path, :wait_ms, :limit
      attr_accessor :after, :delivered, :over

      def initialize(welcome)
        @path = "/v1/workers/#{welcome.fetch('worker_id')}"
        @wait_ms = Integer(welcome.fetch("poll_ms_max"))
        @limit = (@wait_ms / 1000.0) + GRACE
        @after = @delivered = 0
        @over = false
      end
    end

    Sent = Struct.new(:line, :lease, :ends)

    # The server has said no to a request, and would again.
    class Refused < StandardError
      attr_reader :status, :code

      def initialize(reply)
        @status = reply.status
        problem = reply.problem
        @code = problem["code"].to_s
        super([problem["detail"], problem["cure"]].reject { |text| text.to_s.empty? }.join("; "))
      end
    end

    # The poll was cut off, because another one is to take its place.
    class Woken < StandardError; end
    private_constant :Session, :Sent, :Refused, :Woken

    def initialize(address, token, concurrency)
      @url = address.url
      @concurrency = concurrency
      @polls = Connection.new(address, token)
      @deliveries = Connection.new(address, token)
      @sent = SizedQueue.new(BACKLOG_MAX)
      @lock = Monitor.new
      @news = @lock.new_cond
      @held = {}
      @troubled = []
      @woken = @finishing = @draining = false
    end

    # Whether a signal ends this worker in good order, and a second one at once.
    def independent?
      true
    end

    def start(hello, &take)
      @hello = hello
      @take = take
      begin_thread { poll_forever }
      @deliverer = begin_thread { deliver_forever }
    end

    # Queue one message about the attempt `lease`, which `ends` with it or goes on.
    def send_line(line, lease = nil, ends: false)
      @sent << Sent.new(line, lease, ends)
    end

    # Call the block when no further attempts can come.
    def drain(&done)
      @lock.synchronize do
        @done ||= done
        @draining = true
        wake
      end
    end

    # Return when everything that was sent has been taken.
    def finish
      @lock.synchronize do
        @finishing = true
        @news.broadcast
      end
      over = now + FINISH_LIMIT
      [Sent.new('{"type":"drained"}', nil, false), nil].each { |last| @sent.push(last, true) if room_until(over) }
      # A server that is gone, or stops at the same time, may not come back: then nobody waits for these words.
      @deliverer.join([over - now, 0].max)
    end

    private

    # Whether the queue has room before that time. Nobody else fills it any more.
    def room_until(over)
      sleep(0.01) while @sent.size >= BACKLOG_MAX && now < over
      @sent.size < BACKLOG_MAX
    end

    def begin_thread
      Thread.new do
        yield
      rescue StandardError => e
        Stepwell.leave(1, "a fault of the worker: #{e.full_message(highlight: false)}")
      end
    end

    # The thread that polls.

    def poll_forever
      until @finishing
        session = register
        until session.over
          begin
            poll(session)
          rescue Refused => e
            end_session(session, e)
          rescue Woken
            next
          end
        end
        hand_over({ "type" => "lost" })
      end
    end

    def register
      welcome = ask(@polls, "/v1/workers", @hello, FIRST_LIMIT)
      session = understood(welcome) { Session.new(welcome) }
      hand_over(welcome)
      @lock.synchronize do
        @session = session
        @news.broadcast
      end
      session
    rescue Refused => e
      Stepwell.leave(1, "#{@url} does not take this worker: #{e.message}")
    end

    def poll(session)
      draining, body = @lock.synchronize do
        @news.wait(FULL_PAUSE) if free.zero? && !@draining
        @woken = false
        @asked = @draining ? 0 : free
        wait_ms = @draining && @done ? 0 : session.wait_ms
        [@draining, { after: session.after, wait_ms: wait_ms, attempts_max: @asked }]
      end
      begin
        answer = ask(@polls, "#{session.path}/poll", JSON.generate(body), session.limit, may_be_cut: true)
      ensure
        @lock.synchronize { @asked = nil }
      end
      take_answer(session, answer)
      no_more_attempts if draining
    end

    def take_answer(session, answer)
      number, messages = understood(answer) { [Integer(answer.fetch("number")), Array(answer.fetch("messages"))] }
      return if number <= session.after

      session.after = number
      messages.each do |message|
        @lock.synchronize { @held[message["lease"]] = session } if message["type"] == "attempt"
        hand_over(message)
      end
    end

    # Call what waits for the end of attempts.
    def no_more_attempts
      done = @lock.synchronize { @done.tap { @done = nil } }
      done&.call
    end

    def free
      [0, @concurrency - @held.size].max
    end

    # Have the poll that waits replaced by another. The lock is held.
    #
    # What its answer may have held comes again with the next: that still says the old `after`.
    def wake
      @woken = true
      @news.broadcast
      @polls.cut if @asked
    end

    # The thread that delivers.

    def deliver_forever
      goes_on = true
      while goes_on
        batch = []
        size = 0
        loop do
          sent = @sent.pop
          goes_on = !sent.nil?
          break unless sent

          batch << sent
          size += sent.line.bytesize
          break if batch.size == MESSAGES_MAX || size > BYTES_MAX || @sent.empty?
        end
        deliver(batch)
      end
    end

    def deliver(batch)
      until batch.empty?
        session = await_session or return
        # A session takes the ends of attempts of an earlier one, and nothing else from them.
        batch = batch.select { |sent| sent.ends || sent.lease.nil? || @lock.synchronize { @held[sent.lease] }.equal?(session) }
        return if batch.empty? || deliver_in(session, batch)
      end
    end

    # Whether the batch is settled; if not, it belongs into the next session.
    def deliver_in(session, batch)
      body = %({"number":#{session.delivered + 1},"messages":[#{batch.map(&:line).join(',')}]})
      answer = ask(@deliveries, "#{session.path}/messages", body, session.limit)
      settle(session, batch, answer)
    rescue Refused => e
      return split(batch, e) if e.status == 413

      end_session(session, e)
      # What no server can read is not sent again.
      e.status == 404 ? false : settle(session, batch, { "messages" => [] })
    end

    def settle(session, batch, answer)
      session.delivered += 1
      free_places(batch)
      understood(answer) { Array(answer.fetch("messages")) }.each { |message| hand_over(message) }
      true
    end

    # The session to deliver in; nil when there is no need for one, because the worker leaves.
    def await_session
      @lock.synchronize do
        while @session.nil? || @session.over
          return nil if @finishing

          @news.wait
        end
        @session
      end
    end

    def free_places(batch)
      @lock.synchronize do
        batch.each { |sent| @held.delete(sent.lease) if sent.ends }
        wake if @asked&.zero? && !@draining && free.positive?
        @news.broadcast
      end
    end

    # Deliver in parts what was too large as a whole.
    def split(batch, error)
      if batch.size > 1
        batch.each_slice((batch.size + 1) / 2) { |part| deliver(part) }
        return true
      end

      sent = batch.first
      text = "#{sent.line.bytesize} bytes are too many for the server: #{error.message}"
      line = Ending.refusal(sent.lease, "result_too_large", text)
      if sent.ends && line.bytesize < sent.line.bytesize
        deliver([Sent.new(line, sent.lease, true)])
      elsif sent.line.start_with?('{"type":"checkpoint"')
        hand_over({ "type" => "checkpointed", "lease" => sent.lease, "error" => text })
      else
        $stderr.write("stepwell: a message is dropped: #{text}\n")
        free_places(batch)
      end
      true
    end

    # Both threads.

    # The server does not know the session any more, or cannot read what is said in it.
    def end_session(session, error)
      $stderr.write("stepwell: #{@url} ends the session: #{error.message}\n") unless error.status == 404
      @lock.synchronize do
        session.over = true
        wake
      end
    end

    # The answer to a request, however many tries it takes. Raises `Refused`, and `Woken` for a poll.
    def ask(connection, path, body, limit, may_be_cut: false)
      delay = 0.1
      loop do
        wait = nil
        begin
          reply = connection.request("POST", path, body, limit: limit) { !(may_be_cut && @woken) }
          if reply.status < 300
            document = reply.json
            recovered(connection)
            return document
          end
          judge(reply)
          wait = reply.retry_after
          trouble(connection, reply.problem["detail"])
        rescue *Connection::TROUBLE => e
          raise Woken if may_be_cut && @woken

          cure = "; SSL_CERT_FILE names the certificates to trust" if e.message.include?("certificate verify failed")
          trouble(connection, "#{e.message}#{cure}")
        rescue JSON::ParserError
          trouble(connection, "the answer is not JSON")
        end
        rest(wait || (delay * rand(0.5..1.0)), connection.equal?(@polls))
        delay = [2 * delay, DELAY_MAX].min
      end
    end

    # Wait between two tries. Without an answer no attempts come, and a worker that drains may go.
    def rest(seconds, is_poller)
      return sleep(seconds) unless is_poller

      over = now + seconds
      @lock.synchronize { @news.wait(over - now) while !@draining && now < over }
      return unless @draining

      no_more_attempts
      left = over - now
      sleep(left) if left.positive?
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # Return when another try makes sense.
    def judge(reply)
      return if [408, 425, 429].include?(reply.status) || reply.status >= 500

      refused = Refused.new(reply)
      if [401, 403].include?(reply.status)
        Stepwell.leave(NOT_ALLOWED, "#{@url} refuses the token (STEPWELL_TOKEN): #{refused.message}")
      elsif reply.status == 409 && refused.code == "protocol_version"
        Stepwell.leave(OTHER_PROTOCOL, "#{@url}: #{refused.message}")
      end
      raise refused
    end

    def trouble(connection, words)
      is_new = @lock.synchronize { @troubled.empty?.tap { @troubled |= [connection] } }
      $stderr.write("stepwell: #{@url} does not answer: #{words}; trying again\n") if is_new
    end

    def recovered(connection)
      is_over = @lock.synchronize { @troubled.delete(connection) && @troubled.empty? }
      $stderr.write("stepwell: #{@url} answers again\n") if is_over
    end

    def hand_over(message)
      understood(message) { @take.call(message) }
    end

    def understood(document)
      yield
    rescue KeyError, TypeError, ArgumentError, NoMethodError => e
      Stepwell.leave(1, "cannot read the server's message: #{e.message} in #{JSON.generate(document)[0, 200]}")
    end
  end
end
