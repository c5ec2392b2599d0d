#include "ops/op.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/check.h"

namespace lanthorn {
namespace {

using OpIndex = std::unordered_multimap<std::string_view, const OpEntry*>;

OpIndex make_index() {
  OpIndex index;
  for (const OpEntry& entry : all_ops()) index.emplace(entry.def->name, &entry);
  return index;
}

std::string input_text(const OpDef& op, size_t i) {
  const size_t port = std::min(i, op.inputs.size() - 1);
  return "input " + std::to_string(i) + " '" + std::string(op.inputs[port].name) + "' of " +
         std::string(op.name);
}

Error refused(std::string message) {
  return Error{ErrorCode::kCorrupt, std::move(message), "", ""};
}

Status check_input(const OpDef& op, const InferContext& context, size_t i) {
  const OpPort& port = op.inputs[std::min(i, op.inputs.size() - 1)];
  if (!context.has_input(i)) {
    if (port.optional) return ok();
    return refused(input_text(op, i) + " is missing");
  }
  const ValueType& type = context.input(i);
  if (type.kind == ValueType::Kind::kUnknown || port.types == 0) return ok();
  if (type.kind != ValueType::Kind::kTensor) {
    if (op.values) return ok();
    return refused(input_text(op, i) + " is " + type_text(type) + ", but it must be a tensor");
  }
  if (type.dtype == DType::kUndefined || (port.types & type_bit(type.dtype)) != 0) return ok();
  return refused(input_text(op, i) + " is of type " + std::string(dtype_name(type.dtype)) +
                 ", which the operator does not take");
}

Status check_ports(const OpDef& op, const InferContext& context) {
  const size_t formal = op.inputs.size(), given = context.node().inputs.size();
  const bool variadic = formal > 0 && op.inputs[formal - 1].variadic;
  if (given > formal && !variadic) {
    return refused(std::string(op.name) + " takes at most " + std::to_string(formal) +
                   " inputs, not " + std::to_string(given));
  }
  for (size_t i = 0; i < std::max(given, formal); ++i) {
    // A variadic port may be left out altogether only where the operator's own rule says so.
    if (i >= given && op.inputs[i].variadic && op.inputs[i].optional) continue;
    LAN_OK(check_input(op, context, i));
  }
  const size_t outputs = op.outputs.size();
  if (context.output_count() > outputs && !(outputs > 0 && op.outputs[outputs - 1].variadic)) {
    return refused(std::string(op.name) + " has at most " + std::to_string(outputs) +
                   " outputs, not " + std::to_string(context.output_count()));
  }
  const bool sole = outputs == 1 && !op.outputs[0].optional && !op.outputs[0].variadic;
  if (sole && (context.output_count() == 0 || context.node().outputs[0] == kNoValue)) {
    return refused(std::string(op.name) + " has no output");
  }
  return ok();
}

bool ranks_are_known(const InferContext& context) {
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (!context.has_input(i)) continue;
    const ValueType& type = context.input(i);
    if (type.kind == ValueType::Kind::kUnknown) return false;
    if (type.kind == ValueType::Kind::kTensor && (!type.ranked || type.dtype == DType::kUndefined))
      return false;
  }
  return true;
}

// Whether an element of that type is exactly this number, of which symbols are sizes.
bool holds(DType dtype, const Dim& element) {
  int64_t low = INT64_MIN, high = INT64_MAX;
  switch (dtype) {
    case DType::kI64:
      return true;
    case DType::kU64:
      low = 0;
      break;
    case DType::kI32:
      low = INT32_MIN, high = INT32_MAX;
      break;
    case DType::kU32:
      low = 0, high = UINT32_MAX;
      break;
    case DType::kF64:
      low = -(int64_t{1} << 53), high = int64_t{1} << 53;
      break;
    case DType::kF32:
      low = -(1 << 24), high = 1 << 24;
      break;
    case DType::kBool:
      low = 0, high = 1;
      break;
    case DType::kI8:
    case DType::kI16:
    case DType::kF16:
    case DType::kBF16:
      low = -128, high = 127;
      break;
    case DType::kU8:
    case DType::kU16:
      low = 0, high = 127;
      break;
    default:
      return false;
  }
  // Zero could be a negative one, which no dimension can tell.
  if (element.is(0) && is_floating(dtype)) return false;
  if (element.is_known()) return element.value() >= low && element.value() <= high;
  return high > 127 || dtype == DType::kBool;  // sizes are taken to fit what is wide
}

}  // namespace

const OpEntry* find_op(std::string_view name, std::string_view domain) {
  static const OpIndex index = make_index();
  for (auto [at, end] = index.equal_range(name); at != end; ++at) {
    if (at->second->def->domain == domain) return at->second;
  }
  return nullptr;
}

InferContext::InferContext(const Node& node, std::span<const ValueType> inputs,
                           std::span<const Tensor* const> constants,
                           std::span<const std::optional<Dims>> elements)
    : outputs(node.outputs.size()),
      output_elements(node.outputs.size()),
      node_(node),
      inputs_(inputs),
      constants_(constants),
      elements_(elements) {
  LAN_CHECK(inputs.size() == node.inputs.size());
  for (ValueType& type : outputs) type.kind = ValueType::Kind::kUnknown;
}

const Tensor* InferContext::constant(size_t i) const {
  return i < constants_.size() ? constants_[i] : nullptr;
}

std::optional<Dims> InferContext::elements(size_t i) const {
  if (i < elements_.size() && elements_[i]) return elements_[i];
  const Tensor* tensor = constant(i);
  if (!tensor || tensor->count() > static_cast<int64_t>(kMaxElements)) return std::nullopt;
  if (const std::optional<std::vector<int64_t>> numbers = tensor->to_ints()) {
    return Dims(numbers->begin(), numbers->end());
  }
  const std::optional<std::vector<double>> reals = tensor->to_doubles();
  if (!reals) return std::nullopt;
  Dims whole;
  for (const double real : *reals) {
    if (!(std::fabs(real) < 0x1p53) || real != std::trunc(real)) return std::nullopt;
    whole.push_back(static_cast<int64_t>(real));
  }
  return whole;
}

void InferContext::set_output(size_t i, ValueType type) {
  if (i < outputs.size()) outputs[i] = std::move(type);
}

void InferContext::set_elements(size_t i, Dims elements) {
  if (i >= output_elements.size() || elements.size() > kMaxElements) return;
  const auto fits = [this, i](const Dim& element) { return holds(outputs[i].dtype, element); };
  if (!std::all_of(elements.begin(), elements.end(), fits)) return;
  LAN_DCHECK(product(outputs[i].dims).is(static_cast<int64_t>(elements.size())));
  output_elements[i] = std::move(elements);
}

Result<std::vector<ValueType>> InferContext::infer_subgraph(std::string_view attribute,
                                                            std::vector<ValueType> inputs) {
  if (!subgraphs_)
    return Error{ErrorCode::kUnsupported, "subgraphs cannot be inferred here", "", ""};
  return subgraphs_->infer(attribute, std::move(inputs));
}

Status infer_node(const OpEntry& op, InferContext& context) {
  LAN_OK(check_ports(*op.def, context));
  if (!op.def->values && !ranks_are_known(context)) return ok();
  return op.def->infer(context);
}

}  // namespace lanthorn
