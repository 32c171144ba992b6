# frozen_string_literal: true

module Stepwell
  # Stands in for `$stdout`: what a handler prints becomes lines of its step's log.
  #
  # Threads do not mix: each has its own unfinished line. What belongs to no attempt, and what a
  # forked child prints, goes to standard error.
  # @api private
  class StepOutput
    LINE_MAX = 1 << 16 # characters that may wait for a line's end
    KEY = :stepwell_attempt
    UNFINISHED = :stepwell_unfinished
    private_constant :LINE_MAX, :KEY, :UNFINISHED

    # The attempt that runs in this thread.
    def self.current
      Thread.current.thread_variable_get(KEY)
    end

    def self.current=(attempt)
      Thread.current.thread_variable_set(KEY, attempt)
    end

    def initialize
      @pid = Process.pid
    end

    def write(*parts)
      text = parts.join
      attempt = StepOutput.current
      return $stderr.write(text) if attempt.nil? || attempt.closed? || Process.pid != @pid

      head, newline, tail = (unfinished + text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace)).rpartition("\n")
      if newline.empty? && tail.size > LINE_MAX
        head, newline, tail = tail, "\n", ""
      end
      attempt.log("info", head) unless newline.empty?
      Thread.current.thread_variable_set(UNFINISHED, tail)
      text.bytesize
    end

    # Send what this thread has printed without a line end.
    def finish_line(attempt)
      text = unfinished
      return if text.empty?

      Thread.current.thread_variable_set(UNFINISHED, "")
      attempt.log("info", text)
    end

    def puts(*lines)
      text = lines.flatten.map { |line| line.to_s.end_with?("\n") ? line.to_s : "#{line}\n" }.join
      write(lines.empty? || lines == [[]] ? "\n" : text)
      nil
    end

    def print(*parts)
      write(*parts)
      nil
    end

    def printf(*arguments)
      write(format(*arguments))
      nil
    end

    def <<(part)
      write(part)
      self
    end

    def putc(character)
      write(character.is_a?(Integer) ? (character & 0xff).chr : character.to_s[0])
      character
    end

    def p(*values)
      values.each { |value| write("#{value.inspect}\n") }
      values.size > 1 ? values : values.first
    end

    def syswrite(text)
      write(text)
    end
    alias write_nonblock syswrite

    def flush
      self
    end
    alias fsync flush
    alias binmode flush

    def sync
      true
    end

    def sync=(_)
      true
    end

    def tty?
      false
    end
    alias isatty tty?

    def fileno
      1 # the worker has pointed it at standard error
    end

    def external_encoding
      Encoding::UTF_8
    end

    private

    def unfinished
      Thread.current.thread_variable_get(UNFINISHED) || ""
    end
  end
end
