# frozen_string_literal: true

module Stepwell
  # The last message of an attempt: its result, or why there is none.
  # @api private
  module Ending
    MESSAGE_MAX = 1 << 16 # characters of a failure's message
    BACKTRACE_MAX = 1 << 18
    WAIT_MAX = 1 << 53 # milliseconds; every reader of JSON has whole numbers up to here
    private_constant :MESSAGE_MAX, :BACKTRACE_MAX, :WAIT_MAX

    module_function

    # The `result` or `failure` that ends an attempt; what does not fit becomes a failure.
    def line(lease, result, limits)
      return failure(lease, result) unless result.success?

      body = Payload.encode(result.result, "result")
      line = +%({"type":"result","lease":#{lease},"result":#{body})
      unless result.metadata.nil? || result.metadata.empty?
        line << %(,"metadata":#{Payload.encode(result.metadata.to_h, 'metadata')})
      end
      line << "}"
      { "result_bytes_max" => body.bytesize, "line_bytes_max" => line.bytesize + 1 }.each do |name, size|
        next if size <= limits.fetch(name)

        return refusal(lease, "result_too_large", "the result is #{size} bytes; the limit is #{limits.fetch(name)} (#{name})")
      end
      line
    rescue Payload::NotJSON => e
      refusal(lease, "result_not_json", e.message)
    rescue StandardError => e # such as a `to_h` that raises, or metadata that are no object
      refusal(lease, "result_not_json", "the result cannot be read: #{e.class}: #{Stepwell.message_of(e)}")
    end

    # A `failure` that the worker itself finds; no further attempt can help.
    def refusal(lease, error_type, text)
      failure(lease, StepHandlerResult.failure(text, error_type: error_type, retryable: false))
    end

    def stopped(lease)
      %({"type":"stopped","lease":#{lease}})
    end

    def failure(lease, result)
      text = Payload.clean(result.message)
      message = {
        type: "failure", lease: lease, message: text.empty? ? "failed" : text[0, MESSAGE_MAX],
        error_type: Payload.clean(result.error_type || ErrorType::HANDLER_ERROR),
        retryable: result.retryable ? true : false
      }
      message[:error_code] = Payload.clean(result.error_code) unless result.error_code.nil?
      wait = milliseconds(result.retry_after)
      message[:retry_after_ms] = wait if wait
      trace = Payload.clean(result.backtrace)
      message[:backtrace] = trace[0, BACKTRACE_MAX] unless trace.empty?
      metadata = result.metadata.to_h.to_h { |key, value| [Payload.clean(key), shown(value)] }
      message[:metadata] = metadata unless metadata.empty?
      JSON.generate(message, max_nesting: 0)
    end

    # A wait as the protocol wants it; nil for what is no number of seconds.
    def milliseconds(seconds)
      return nil if seconds.nil?

      (Float(seconds) * 1000).ceil.clamp(0, WAIT_MAX)
    rescue ArgumentError, TypeError, FloatDomainError
      nil
    end

    # `value` if it is short JSON, else words for it: a failure's metadata only informs people.
    def shown(value)
      text = Payload.encode_leniently(value)
      text.size <= MESSAGE_MAX ? Payload.parse(text) : "#{text.bytesize} bytes"
    end
  end
end
