#include "optimize/layout.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace lanthorn {

Order natural_order(size_t rank) {
  Order order(rank);
  std::iota(order.begin(), order.end(), int64_t{0});
  return order;
}

bool is_natural(const Order& order) { return std::is_sorted(order.begin(), order.end()); }

Order inverse(const Order& order) {
  Order result(order.size());
  for (size_t i = 0; i < order.size(); ++i) result[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return result;
}

int64_t position_of(const Order& order, int64_t axis) {
  return std::find(order.begin(), order.end(), axis) - order.begin();
}

Dims permuted(const Dims& dims, const Order& order) {
  Dims result;
  for (const int64_t axis : order) result.push_back(dims[static_cast<size_t>(axis)]);
  return result;
}

Layout::Layout(Graph& graph) : graph_(graph), old_values_(graph.values.size()), forms_(old_values_) {}

int64_t Layout::rank(ValueId id) const {
  const ValueType& type = graph_.values[id].type;
  return type.kind == ValueType::Kind::kTensor && type.ranked ? static_cast<int64_t>(type.dims.size()) : -1;
}

std::optional<std::vector<int64_t>> Layout::constant_ints(ValueId id) const {
  const Tensor* tensor = constant(id);
  return tensor ? tensor->to_ints() : std::nullopt;
}

std::vector<Form>& Layout::forms(ValueId id) {
  LAN_CHECK(id < old_values_);
  std::vector<Form>& forms = forms_[id];
  // Inputs, constants, captures, and results of nodes that were copied as they are.
  if (forms.empty()) forms.push_back({natural_order(static_cast<size_t>(std::max<int64_t>(rank(id), 0))), id});
  return forms;
}

const Order& Layout::home(ValueId id) { return forms(id)[0].order; }

bool Layout::has(ValueId id, const Order& order) {
  const std::vector<Form>& all = forms(id);
  return std::any_of(all.begin(), all.end(), [&](const Form& form) { return form.order == order; });
}

ValueId Layout::get(ValueId id, const Order& order) {
  std::vector<Form>& all = forms(id);
  for (const Form& form : all) {
    if (form.order == order) return form.id;
  }
  const Form from = all[0];
  Order perm;
  for (const int64_t axis : order) perm.push_back(position_of(from.order, axis));
  const ValueId made =
      graph_.add_value("", ValueType::tensor(type(id).dtype, permuted(dims(id), order)));
  Node node;
  node.op = "Transpose";
  node.inputs = {from.id};
  node.outputs = {made};
  node.attributes.set("perm", perm);
  emit(std::move(node));
  forms(id).push_back({order, made});
  return made;
}

ValueId Layout::natural(ValueId id) {
  if (id == kNoValue) return id;
  const int64_t axes = rank(id);
  return axes < 0 ? forms(id)[0].id : get(id, natural_order(static_cast<size_t>(axes)));
}

void Layout::define(ValueId id, Order order, ValueId made) {
  LAN_CHECK(id < old_values_);
  forms_[id].push_back({std::move(order), made});
  note_change();
}

ValueId Layout::make(ValueId id, const Order& order) {
  const ValueId made = graph_.add_value("", ValueType::tensor(type(id).dtype, permuted(dims(id), order)));
  define(id, order, made);
  return made;
}

void Layout::alias_transposed(ValueId to, ValueId from, const Order& perm) {
  const Order back = inverse(perm);
  for (const Form& form : std::vector<Form>(forms(from))) {
    Order order;
    for (const int64_t axis : form.order) order.push_back(back[static_cast<size_t>(axis)]);
    define(to, std::move(order), form.id);
  }
}

ValueId Layout::add_ints(const std::vector<int64_t>& values) { return graph_.add_constant(Tensor::of_ints(values)); }

void Layout::finish() {
  for (ValueId& id : graph_.outputs) {
    if (id == kNoValue) continue;
    const ValueId now = natural(id);
    if (now != id && graph_.values[now].name.empty() && !graph_.constant(now)) {
      graph_.values[now].name = std::exchange(graph_.values[id].name, "");
    }
    id = now;
  }
  graph_.nodes = std::move(nodes_);
}

}  // namespace lanthorn
