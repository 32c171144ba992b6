# frozen_string_literal: true

require "socket"

# A small server that answers as it is told, and remembers what it was asked.
module TableServer
  def setup
    @server = TCPServer.new("127.0.0.1", 0)
    @url = "http://127.0.0.1:#{@server.addr[1]}/base/"
    @requests = Queue.new
    @answers = Queue.new
    @thread = Thread.new { loop { Thread.new(@server.accept) { |socket| serve(socket) } } }
    @thread.report_on_exception = false
  end

  def teardown
    @thread.kill
    @server.close
  end

  def serve(socket)
    while (line = socket.gets)
      headers = socket.each_line("\r\n").take_while { |it| it != "\r\n" }.to_h { |it| it.chomp.split(": ", 2) }.transform_keys(&:downcase)
      body = socket.read(headers["content-length"].to_i)
      @requests << [*line.split.first(2), headers, body]
      status, answer, more = @answers.pop
      return socket.close if status == :hang_up

      text = answer.is_a?(String) ? answer : JSON.generate(answer)
      socket.write("HTTP/1.1 #{status} Status\r\nContent-Length: #{text.bytesize}\r\n#{more}\r\n#{text}")
    end
  end

  def answer(status, document = {}, headers = "")
    @answers << [status, document, headers]
  end

  def client(**options)
    Stepwell::Client.new(url: @url, **options)
  end
end
