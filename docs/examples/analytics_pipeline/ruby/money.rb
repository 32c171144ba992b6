# frozen_string_literal: true

# Money and ratios in whole numbers, so that every language gets the same last digit.
module Money
  module_function

  # Cents of a price as the CSV export writes it: `99.99` is 9999.
  def cents(text)
    raise ArgumentError, "#{text.inspect} is not an amount such as 12.50" unless text.to_s.match?(/\A[0-9]+\.[0-9]{2}\z/)

    text.delete(".").to_i
  end

  # Cents of a JSON number that has at most two decimals.
  def to_cents(amount)
    (amount * 100).round
  end

  # The JSON number for an amount of cents.
  def from_cents(amount)
    amount / 100.0
  end

  # The nearest whole number, halves up; 0 when the divisor is 0. For numbers from 0 up.
  def divide(dividend, divisor)
    divisor.zero? ? 0 : ((2 * dividend) + divisor).div(2 * divisor)
  end

  # An amount of cents for people: 384968 is `3849.68`.
  def written(amount)
    format("%d.%02d", amount.div(100), amount.modulo(100))
  end
end
