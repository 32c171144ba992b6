# frozen_string_literal: true

require "stepwell"
require_relative "money"

# What the handlers share.
module Figures
  DATA = File.expand_path("../data", __dir__)

  module_function

  # The folder of the data set that the task's input names.
  def data_folder(context)
    name = context.get_input_or("data", "real")
    return File.join(DATA, name) if %w[real fixed].include?(name)

    raise Stepwell::ValidationError, "there is no data set #{name.inspect}; choose real or fixed"
  end

  # A row of the CSV file as JSON. A row that contradicts itself fails the step for good.
  def sale(row, line)
    quantity = Integer(row["quantity"], 10)
    price, total = row.values_at("price", "total").map { |text| Money.cents(text) }
    raise ArgumentError, "#{quantity} × #{row['price']} is not #{row['total']}" if quantity * price != total

    names = %w[date product category region].to_h { |key| [key, row.fetch(key)] }
    names.merge("quantity" => quantity, "price" => Money.from_cents(price), "total" => Money.from_cents(total))
  rescue ArgumentError, TypeError, KeyError => e
    raise Stepwell::ValidationError, "sales.csv, line #{line}: #{e.message}"
  end

  # The rows of an extract's result.
  def records(extract, step)
    return extract["records"] if extract

    raise Stepwell::PermanentError.new("the result of #{step} is missing", error_code: "MISSING_EXTRACTION")
  end

  # The rows by the value of one member, sorted by that value.
  def groups(rows, key)
    rows.group_by { |row| row[key] }.sort.to_h
  end

  # Quantity, revenue, orders and the average order of each group of sales.
  def sums(rows, key)
    groups(rows, key).transform_values do |group|
      {
        quantity: total(group, "quantity"), revenue: Money.from_cents(cents(group, "total")), orders: group.size,
        avg_order_value: Money.from_cents(Money.divide(cents(group, "total"), group.size))
      }
    end
  end

  # The sum of one member of all rows.
  def total(rows, key)
    rows.sum { |row| row[key] }
  end

  # The sum of one member of all rows, in cents.
  def cents(rows, key)
    rows.sum { |row| Money.to_cents(row[key]) }
  end

  # Whether a stock must be ordered again.
  def low?(row)
    row["on_hand"] < row["reorder_level"]
  end

  # A word for a score.
  def rating(score)
    { "Excellent" => 80, "Good" => 60, "Fair" => 40 }.each { |word, least| return word if score >= least }
    "Needs Improvement"
  end
end
