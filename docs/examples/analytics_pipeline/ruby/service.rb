# frozen_string_literal: true

require "json"
require "net/http"
require "time"
require "uri"
require "stepwell"

# What the inventory service says, and what its failures mean.
module Service
  BROKEN = [SystemCallError, IOError, SocketError, Timeout::Error, Net::ProtocolError, Net::HTTPBadResponse, JSON::ParserError].freeze
  private_constant :BROKEN

  module_function

  # GET `url`. What may pass is retryable, with the wait that the service asks for.
  def get_json(url, seconds)
    response = get(URI(url), seconds)
    return JSON.parse(response.body) if response.is_a?(Net::HTTPSuccess)

    status = response.code.to_i
    words = "#{url} answers #{status} #{response.message}"
    raise Stepwell::NotFoundError, words if status == 404
    raise Stepwell::PermanentError, words if status < 500 && ![408, 429].include?(status)

    raise Stepwell::RetryableError.new(words, retry_after: retry_after(response["Retry-After"]), error_code: "HTTP_#{status}")
  rescue *BROKEN => e # refused, too slow, cut short, or no JSON
    raise Stepwell::RetryableError, "cannot read #{url}: #{e.message}"
  end

  # Seconds that a Retry-After header asks for; it holds a number of seconds or a date.
  def retry_after(header)
    return nil if header.nil? || header.strip.empty?
    return header.to_f if header.strip.match?(/\A[0-9]+\z/)

    [0.0, Time.httpdate(header.strip) - Time.now].max
  rescue ArgumentError
    nil
  end

  def get(uri, seconds)
    # Without proxies: the service is on this machine.
    Net::HTTP.start(uri.host, uri.port, nil, open_timeout: seconds, read_timeout: seconds, max_retries: 0) do |http|
      http.get(uri.request_uri)
    end
  end
  private_class_method :get
end
