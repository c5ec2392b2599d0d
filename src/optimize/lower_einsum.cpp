#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "optimize/graph_index.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

/// An Einsum of two operands that is a batched matrix product: where each label lies.
struct Product {
  std::vector<int64_t> a_order, b_order, y_order;  // transposes before and after
};

std::string without_spaces(std::string_view text) {
  std::string letters;
  for (const char c : text) {
    if (c != ' ') letters += c;
  }
  return letters;
}

bool repeats(const std::string& labels) {
  std::string sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
}

std::vector<int64_t> positions(const std::string& labels, const std::string& wanted) {
  std::vector<int64_t> result;
  for (const char label : wanted) result.push_back(static_cast<int64_t>(labels.find(label)));
  return result;
}

std::optional<Product> as_product(const std::string& equation) {
  const size_t comma = equation.find(','), arrow = equation.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || comma > arrow) return std::nullopt;
  const std::string a = equation.substr(0, comma), b = equation.substr(comma + 1, arrow - comma - 1);
  const std::string y = equation.substr(arrow + 2);
  const std::string all = a + b + y;
  if (!std::all_of(all.begin(), all.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); })) {
    return std::nullopt;
  }
  if (repeats(a) || repeats(b) || repeats(y)) return std::nullopt;
  const auto has = [](const std::string& labels, char label) { return labels.find(label) != std::string::npos; };
  std::string batch, rows, columns, summed;
  for (const char label : a) {
    if (has(b, label)) {
      (has(y, label) ? batch : summed) += label;
    } else {
      rows += label;
    }
  }
  for (const char label : b) {
    if (!has(a, label)) columns += label;
  }
  if (rows.size() != 1 || columns.size() != 1 || summed.size() != 1) return std::nullopt;
  const std::string made = batch + rows + columns;
  if (made.size() != y.size() || !std::is_permutation(made.begin(), made.end(), y.begin())) return std::nullopt;
  return Product{positions(a, batch + rows + summed), positions(b, batch + summed + columns), positions(made, y)};
}

bool is_sorted(const std::vector<int64_t>& order) { return std::is_sorted(order.begin(), order.end()); }

Dims reordered(const Dims& dims, const std::vector<int64_t>& order) {
  Dims result;
  for (const int64_t axis : order) result.push_back(dims[static_cast<size_t>(axis)]);
  return result;
}

}  // namespace

Result<bool> lower_einsum(Graph& graph) {
  const GraphIndex index(graph);
  bool changed = false;
  const size_t count = graph.nodes.size();
  const auto transposed = [&](ValueId id, const std::vector<int64_t>& order) {
    if (is_sorted(order)) return id;
    const ValueType type = graph.values[id].type;
    const size_t made = graph.add_node("Transpose", {id}, {{"perm", order}});
    const ValueId result = graph.nodes[made].outputs[0];
    graph.values[result].type = ValueType::tensor(type.dtype, reordered(type.dims, order));
    return result;
  };
  for (size_t n = 0; n < count; ++n) {
    if (!is_op(graph.nodes[n], "Einsum") || graph.nodes[n].inputs.size() != 2) continue;
    const auto product = as_product(without_spaces(graph.nodes[n].attributes.text("equation", "")));
    const ValueId a = graph.nodes[n].inputs[0], b = graph.nodes[n].inputs[1];
    if (!product || index.rank(a) != static_cast<int64_t>(product->a_order.size()) ||
        index.rank(b) != static_cast<int64_t>(product->b_order.size()) || !is_floating(index.type(a).dtype)) {
      continue;
    }
    // Batches of size 1 would broadcast in MatMul where Einsum refuses them; equal ones do not differ.
    const Dims left = reordered(index.type(a).dims, product->a_order), right = reordered(index.type(b).dims, product->b_order);
    if (!std::equal(left.begin(), left.end() - 2, right.begin())) continue;
    const std::vector<ValueId> inputs = {transposed(a, product->a_order), transposed(b, product->b_order)};
    if (is_sorted(product->y_order)) {
      graph.nodes[n].op = "MatMul";
      graph.nodes[n].inputs = inputs;
      graph.nodes[n].attributes = {};
    } else {
      const DType dtype = index.type(a).dtype;
      const size_t made = graph.add_node("MatMul", inputs, {});
      Dims dims = left;
      dims.back() = right.back();
      const ValueId result = graph.nodes[made].outputs[0];
      graph.values[result].type = ValueType::tensor(dtype, std::move(dims));
      graph.nodes[n].op = "Transpose";
      graph.nodes[n].inputs = {result};
      graph.nodes[n].attributes = {{"perm", product->y_order}};
    }
    changed = true;
  }
  if (changed) LAN_OK(sort_nodes(graph));
  return changed;
}

}  // namespace lanthorn
