# frozen_string_literal: true

module Stepwell
  # The failure types that all languages share. A handler may use its own strings as well.
  module ErrorType
    PERMANENT_ERROR = "permanent_error"
    RETRYABLE_ERROR = "retryable_error"
    VALIDATION_ERROR = "validation_error"
    TIMEOUT = "timeout"
    HANDLER_ERROR = "handler_error"
  end

  # Success with a result, or failure with a message. Make one with `success` or `failure`.
  StepHandlerResult = Struct.new(
    :is_success, :result, :metadata, :message, :error_type, :error_code, :retryable, :retry_after, :backtrace,
    keyword_init: true
  ) do
    # The step is done. `result` is any JSON value; later steps get the whole of it.
    def self.success(value = nil, result: value, metadata: {})
      new(is_success: true, result: result, metadata: metadata || {})
    end

    # The attempt failed. `retry_after` (seconds) asks for a wait before the next attempt.
    def self.failure(text = nil, message: text, error_type: ErrorType::HANDLER_ERROR, error_code: nil,
                     retryable: true, retry_after: nil, metadata: {})
      new(
        is_success: false, message: message, error_type: error_type, error_code: error_code,
        retryable: retryable, retry_after: retry_after, metadata: metadata || {}
      )
    end

    # The failure that a raised exception stands for, with its backtrace.
    #
    # Stepwell's own errors say everything themselves. Any other exception is a retryable
    # `handler_error`, whose message begins with the name of the class.
    def self.from_exception(error)
      name = error.class.name || "an exception without a name"
      text = Stepwell.message_of(error)
      failure =
        if error.is_a?(Errors::Error)
          failure(text, error_type: error.error_type, error_code: error.error_code, retryable: error.retryable?,
                        retry_after: error.retry_after, metadata: error.metadata.dup)
        else
          failure(text.empty? || text == name ? name : "#{name}: #{text}")
        end
      failure.metadata[:exception_type] ||= name
      failure.backtrace = Stepwell.backtrace_of(error, name, text)
      failure
    end

    # Whether the step is done.
    def success?
      is_success
    end

    # Whether the attempt failed.
    def failure?
      !is_success
    end

    # Whether another attempt can help.
    def retryable?
      !is_success && retryable ? true : false
    end
  end

  HERE = "#{__dir__}/"
  private_constant :HERE

  # @api private
  def self.message_of(error)
    error.message.to_s
  rescue StandardError
    "its message cannot be read"
  end

  # The backtrace as Ruby prints it, down to the handler and no further: the rest is the worker's own.
  # @api private
  def self.backtrace_of(error, name, text)
    lines = error.backtrace || []
    own = lines.take_while { |line| line.start_with?(HERE) }.size
    shown = lines.drop(own).take_while { |line| !line.start_with?(HERE) }
    shown = lines if shown.empty?
    ["#{shown.first}: #{text} (#{name})", *shown.drop(1).map { |line| "\tfrom #{line}" }].join("\n")
  end
end
