# frozen_string_literal: true

require "json"
require "net/http"
require "openssl"
require "socket"
require "uri"

module Stepwell
  # An address that is no address of a server; the message says what one looks like.
  class BadAddress < ArgumentError; end

  # Where the server is: `http://HOST:PORT`, `https://HOST:PORT`, or `unix:PATH`.
  # @api private
  class Address
    DEFAULT = "http://127.0.0.1:7420"

    attr_reader :url, :host, :port, :path, :prefix

    # Read an address. Raises `BadAddress`.
    def initialize(url)
      @url = url
      @prefix = ""
      url.start_with?("unix:") ? read_path(url.delete_prefix("unix:")) : read_url(url)
    end

    def tls?
      @tls
    end

    private

    def read_path(path)
      path = path.delete_prefix("//") if path.start_with?("///")
      if path.empty? || path.start_with?("//")
        raise BadAddress, "no path in #{url.inspect}; write unix:/run/stepwell.sock"
      end

      @path = path
      @host = "localhost"
      @port = 80
    end

    def read_url(url)
      uri = URI.parse(url)
      unless uri.is_a?(URI::HTTP) && uri.host && !uri.host.empty? && uri.query.nil? && uri.fragment.nil?
        raise BadAddress, "#{url.inspect} is no address; write http://HOST:PORT, https://HOST:PORT or unix:PATH"
      end
      raise BadAddress, "no name or password belongs into the address of #{uri.hostname}; use a token" if uri.userinfo

      @host = uri.hostname
      @port = uri.port
      @tls = uri.scheme == "https"
      @prefix = uri.path.chomp("/")
    rescue URI::InvalidURIError => e
      raise BadAddress, "#{url.inspect} is no address: #{e.message}"
    end
  end

  # A server's answer.
  # @api private
  class Reply
    attr_reader :status, :content

    def initialize(response)
      @status = response.code.to_i
      @wait = response["Retry-After"].to_s.strip
      @content = (response.body || "").dup.force_encoding(Encoding::UTF_8)
      @reason = response.message
    end

    # The content as JSON. Raises `JSON::ParserError`.
    def json
      Payload.parse(content)
    end

    # The seconds of `Retry-After`, if it has some.
    def retry_after
      @wait.match?(/\A[0-9]{1,9}\z/) ? [@wait.to_i, 300].min : nil
    end

    # The problem document of an error; words made from the status when there is none.
    def problem
      document = begin
        json
      rescue JSON::ParserError
        nil
      end
      return document if document.is_a?(Hash) && document["code"].is_a?(String)

      shown = content.scrub[0, 200].strip
      { "code" => "", "status" => status, "detail" => "#{status} #{@reason} #{shown}".strip, "cure" => "" }
    end
  end

  # One connection that is kept between requests and made anew when it broke. For one thread at a time.
  #
  # `cut` may be called by any thread: it ends a request that waits, with one of `TROUBLE`.
  # @api private
  class Connection
    # What a request raises when the connection is at fault, not the server.
    TROUBLE = [
      SystemCallError, IOError, SocketError, Timeout::Error, OpenSSL::SSL::SSLError, Net::ProtocolError,
      Net::HTTPBadResponse, Net::HTTPHeaderSyntaxError
    ].freeze
    IDLE_MAX = 30 # seconds; half of what the server allows
    REQUESTS = {
      "GET" => Net::HTTP::Get, "POST" => Net::HTTP::Post, "PUT" => Net::HTTP::Put, "DELETE" => Net::HTTP::Delete
    }.freeze
    private_constant :REQUESTS, :IDLE_MAX

    # Net::HTTP over a Unix socket.
    class UnixHTTP < Net::HTTP
      attr_accessor :socket_path

      private

      def connect
        @socket = Net::BufferedIO.new(
          UNIXSocket.new(socket_path), read_timeout: read_timeout, write_timeout: write_timeout,
                                       continue_timeout: continue_timeout
        )
        on_connect
      end
    end
    private_constant :UnixHTTP

    def initialize(address, token = nil)
      @address = address
      @headers = { "Accept" => "application/json", "Accept-Encoding" => "identity", "User-Agent" => "stepwell-ruby/#{VERSION}" }
      @headers["Authorization"] = "Bearer #{token}" if token && !token.empty?
    end

    # Send a request and read its answer. Raises one of `TROUBLE`.
    #
    # A kept connection that the server has closed meanwhile is made anew, before the request is sent.
    # The block is asked when the connection stands whether the request is still wanted: a `cut`
    # before that moment has nothing to cut.
    def request(method, path, body = nil, limit: 60, type: "application/json")
      http = opened(limit)
      raise Errno::ECONNABORTED, "the request is not wanted any more" if block_given? && !yield

      question = REQUESTS.fetch(method).new(@address.prefix + path, @headers)
      if body
        question["Content-Type"] = type
        question.body = body
      end
      Reply.new(http.request(question))
    rescue *TROUBLE
      close
      raise
    end

    # Close the connection, if there is one.
    def close
      http = @http
      @http = nil
      http&.finish if http&.started?
    rescue IOError
      nil # it is closed already
    end

    # End the request that waits.
    def cut
      socket = @http&.instance_variable_get(:@socket)
      # Not the TLS way to say goodbye, which would wait for the reader.
      socket&.io&.to_io&.shutdown(Socket::SHUT_RDWR)
    rescue SystemCallError, IOError
      nil # it is cut already
    end

    private

    def opened(limit)
      http = @http || new_http
      http.open_timeout = [limit, 10].min
      http.read_timeout = http.write_timeout = limit
      unless http.started?
        http.start
        @http = http
      end
      http
    end

    def new_http
      # Without proxies of the environment: the token belongs to the server alone.
      kind = @address.path ? UnixHTTP : Net::HTTP
      http = kind.new(@address.host, @address.port, nil)
      http.socket_path = @address.path if @address.path
      http.use_ssl = @address.tls? if @address.tls?
      http.max_retries = 0
      http.keep_alive_timeout = IDLE_MAX
      http
    end
  end
end

require_relative "payload"
