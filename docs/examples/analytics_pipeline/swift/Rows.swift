// The rows of the three sources. Members are named as in the JSON, so that nothing has to be mapped.

struct Sale: Codable {
    var date: String
    var product: String
    var category: String
    var region: String
    var quantity: Int
    var price: Money
    var total: Money
}

struct Stock: Codable {
    var product: String
    var sku: String
    var warehouse: String
    var on_hand: Int
    var reorder_level: Int

    /// Whether it must be ordered again.
    var isLow: Bool { on_hand < reorder_level }
}

struct Customer: Codable {
    var id: String
    var name: String
    var tier: String
    var lifetime_value: Money
    var joined: String
}
