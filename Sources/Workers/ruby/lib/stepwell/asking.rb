# frozen_string_literal: true

require_relative "transport"

module Stepwell
  # The server has refused a request: what is wrong (`detail`), its stable `code`, and a `cure`.
  class ApiError < StandardError
    # @return [Integer] the HTTP status; 0 when no answer came
    attr_reader :status
    # @return [String] what docs/errors.md calls it
    attr_reader :code
    attr_reader :detail, :cure

    def initialize(status, code, detail, cure = "")
      super("#{detail} [#{code}]#{"; #{cure}" unless cure.empty?}")
      @status = status
      @code = code
      @detail = detail
      @cure = cure
    end

    # Whether the server is only away: not reached, starting, stopping, or busy. A proxy before it has words of its own.
    def may_pass?
      [502, 503, 504].include?(status)
    end
  end

  # No answer came. Whether the server has done what was asked is unknown, unless it is asked again.
  class Unreachable < ApiError
    def initialize(url, error)
      @may_pass = !(error.is_a?(OpenSSL::SSL::SSLError) && error.message.include?("certificate verify failed"))
      super(0, "unreachable", "#{url} does not answer: #{error.message}",
            "is 'stepwell serve' running there? STEPWELL_URL names another address")
    end

    def may_pass?
      @may_pass
    end
  end

  # How all calls of a client ask, and ask again. Its connections are those of `Client`.
  # @api private
  module Asking
    TRIES = 4
    private_constant :TRIES

    private

    def json(method, path, body = nil, repeatable: method == "GET", limit: @timeout)
      read(request(method, path, body && Payload.encode(body, "request"), repeatable: repeatable, limit: limit))
    end

    # An answer that is text, such as a drawing.
    def text(path)
      good(request("GET", path, nil, repeatable: true)).content
    end

    # Something to do that has no answer but that it is done.
    def tell(method, path)
      good(request(method, path, method == "POST" ? "" : nil, repeatable: false))
      nil
    end

    # The server's answer; a busy server, and what may be repeated, is asked again.
    def request(method, path, body, repeatable:, limit: @timeout, type: "application/json")
      delay = 0.1
      TRIES.downto(1) do |tries|
        wait = delay
        begin
          reply = with_connection { |connection| connection.request(method, path, body, limit: limit, type: type) }
          return reply if ![429, 503].include?(reply.status) || tries == 1

          wait = reply.retry_after || delay
        rescue *Connection::TROUBLE => e
          was_never_sent = e.is_a?(Errno::ECONNREFUSED)
          raise Unreachable.new(@address.url, e) if tries == 1 || !(repeatable || was_never_sent)
        end
        sleep(wait * rand(1.0..1.2))
        delay *= 2
      end
    end

    # Each request has a connection to itself; those that are idle are kept.
    def with_connection
      connection = begin
        @idle.pop(true)
      rescue ThreadError
        Connection.new(@address, @token)
      end
      yield(connection).tap { @idle << connection }
    end

    # The answer, if it is no refusal.
    def good(reply)
      return reply if reply.status < 300

      problem = reply.problem
      code = problem["code"].empty? ? "http_#{reply.status}" : problem["code"]
      raise ApiError.new(reply.status, code, problem["detail"].to_s, problem["cure"].to_s)
    end

    def read(reply)
      good(reply).json
    rescue JSON::ParserError
      raise ApiError.new(reply.status, "not_json", "the answer is not JSON; is this a Stepwell server?")
    end

    def path(*parts)
      "/v1/#{parts.map { |part| URI.encode_www_form_component(part.to_s).gsub('+', '%20') }.join('/')}"
    end

    def query(parameters)
      parameters = parameters.compact
      parameters.empty? ? "" : "?#{URI.encode_www_form(parameters)}"
    end
  end
end
