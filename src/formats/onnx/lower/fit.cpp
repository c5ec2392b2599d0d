#include "formats/onnx/lower/fit.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "formats/onnx/check/checker.h"
#include "graph/onnx_dtype.h"

namespace lanthorn::onnx {
namespace {

// An attribute that came later, and the value that says what held before.
struct Neutral {
  std::string_view op, attribute, text;
  int64_t integer = 0;
};
constexpr Neutral kNeutral[] = {
    {"ArgMax", "select_last_index", "", 0},
    {"ArgMin", "select_last_index", "", 0},
    {"Attention", "left_window_size", "", -1},
    {"Attention", "right_window_size", "", -1},
    {"AveragePool", "ceil_mode", "", 0},
    {"BatchNormalization", "training_mode", "", 0},
    {"Cast", "round_mode", "up", 0},
    {"CastLike", "round_mode", "up", 0},
    {"DepthToSpace", "mode", "DCR", 0},
    {"SpaceToDepth", "mode", "DCR", 0},
    {"DequantizeLinear", "block_size", "", 0},
    {"DequantizeLinear", "output_dtype", "", 0},
    {"GRU", "layout", "", 0},
    {"GatherND", "batch_dims", "", 0},
    {"LSTM", "layout", "", 0},
    {"LpPool", "ceil_mode", "", 0},
    {"MaxPool", "ceil_mode", "", 0},
    {"MaxPool", "storage_order", "", 0},
    {"QuantizeLinear", "block_size", "", 0},
    {"QuantizeLinear", "output_dtype", "", 0},
    {"QuantizeLinear", "precision", "", 0},
    {"RNN", "layout", "", 0},
    {"Reshape", "allowzero", "", 0},
    {"Resize", "antialias", "", 0},
    {"Resize", "keep_aspect_ratio_policy", "stretch", 0},
    {"ScatterElements", "reduction", "none", 0},
    {"ScatterND", "reduction", "none", 0},
    {"Shape", "start", "", 0},
    {"TopK", "largest", "", 1},
};
// These say how something is computed, or speak of types that there were none of: without them the
// operator means the same.
constexpr std::pair<std::string_view, std::string_view> kIdle[] = {
    {"Cast", "saturate"},        {"CastLike", "saturate"},         {"QuantizeLinear", "saturate"},
    {"TopK", "sorted"},          {"GroupNormalization", "stash_type"}, {"Range", "stash_type"},
    {"Dropout", "seed"},
};

// Operators that move, choose or compare elements: they give the same in any dtype that holds all
// values of the other.
constexpr std::string_view kMoves[] = {
    "ArgMax", "ArgMin", "Compress", "Concat", "DepthToSpace", "Equal", "Expand", "Flatten", "Gather",
    "GatherElements", "GatherND", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "MaxPool",
    "NonZero", "OneHot", "Pad", "ReduceMax", "ReduceMin", "Reshape", "ReverseSequence",
    "ScatterElements", "ScatterND", "Sign", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile",
    "TopK", "Transpose", "Trilu", "Unique", "Unsqueeze", "Where", "Identity", "Max", "Min", "Clip",
    "Relu", "Resize"};
// Whole numbers wrap, so more bits give the same lower bits; floats are rounded once more.
constexpr std::string_view kWrapping[] = {"Abs", "Add", "CumSum", "Gemm", "MatMul", "Mul", "Neg",
                                          "ReduceProd", "ReduceSum", "ReduceSumSquare", "Sub", "Sum"};
constexpr std::string_view kExactWholes[] = {"Div", "Mod"};

template <size_t N>
bool contains(const std::string_view (&list)[N], std::string_view op) {
  return std::find(std::begin(list), std::end(list), op) != std::end(list);
}

bool all_ones(const Attribute& value) {
  const auto* list = std::get_if<std::vector<int64_t>>(&value);
  return list && std::all_of(list->begin(), list->end(), [](int64_t one) { return one == 1; });
}

bool is_neutral(std::string_view op, std::string_view name, const Attribute& value) {
  if (name == "dilations" && op.ends_with("Pool")) return all_ones(value);
  for (const auto& [known, attribute] : kIdle) {
    if (known == op && attribute == name) return true;
  }
  if (name == "noop_with_empty_axes") return op.starts_with("Reduce");
  for (const Neutral& neutral : kNeutral) {
    if (neutral.op != op || neutral.attribute != name) continue;
    if (const auto* text = std::get_if<std::string>(&value)) return *text == neutral.text;
    const auto* integer = std::get_if<int64_t>(&value);
    return integer && *integer == neutral.integer;
  }
  return false;
}

int32_t type_number(const Attribute& value) {
  // In the order of the variant.
  constexpr std::array kTypes = {AttributeType::kInt,     AttributeType::kFloat,
                                 AttributeType::kString,  AttributeType::kInts,
                                 AttributeType::kFloats,  AttributeType::kStrings,
                                 AttributeType::kTensor,  AttributeType::kTensors,
                                 AttributeType::kGraph,   AttributeType::kGraphs};
  return static_cast<int32_t>(kTypes[value.index()]);
}

std::string port_misfit(const Graph& graph, const std::vector<ValueId>& given,
                        const std::vector<Schema::Formal>& formals, std::string_view what) {
  const Arity arity = arity_of(formals);
  if (given.size() < arity.least || given.size() > arity.most) {
    return "this opset does not have it with " + std::to_string(given.size()) + " " +
           std::string(what) + "s";
  }
  for (size_t i = 0; i < given.size(); ++i) {
    const Schema::Formal& formal = *formal_at(formals, i);
    const std::string place = std::string(what) + " " + std::to_string(i);
    if (given[i] == kNoValue) {
      if (formal.port == Schema::Port::kSingle) return place + " must not be left out";
      continue;
    }
    const std::string type = schema_type(graph.values[given[i]].type);
    if (!type.empty() && !formal.types.has(type)) return place + " may be no " + type;
  }
  return "";
}

}  // namespace

const Schema* SchemaTable::find(const std::string& op) {
  auto found = schemas_.find(op);
  if (found == schemas_.end()) {
    std::optional<Schema> schema = find_schema("", op, opset_);
    if (schema && schema->deprecated) schema.reset();
    found = schemas_.emplace(op, std::move(schema)).first;
  }
  return found->second ? &*found->second : nullptr;
}

std::string schema_type(const ValueType& type) {
  const std::string element = type.element ? schema_type(*type.element) : "";
  switch (type.kind) {
    case ValueType::Kind::kTensor:
      return type.dtype == DType::kUndefined
                 ? ""
                 : tensor_type_name(static_cast<int32_t>(onnx_number(type.dtype)));
    case ValueType::Kind::kSequence:
      return element.empty() ? "" : "seq(" + element + ")";
    case ValueType::Kind::kOptional:
      return element.empty() ? "" : "optional(" + element + ")";
    case ValueType::Kind::kMap:
    case ValueType::Kind::kUnknown:
      break;
  }
  return "";
}

const Schema::Formal* formal_at(const std::vector<Schema::Formal>& formals, size_t position) {
  if (position < formals.size()) return &formals[position];
  const bool repeats = !formals.empty() && formals.back().port == Schema::Port::kVariadic;
  return repeats ? &formals.back() : nullptr;
}

int first_opset(std::string_view op) {
  int first = 0;
  for (auto schema = find_schema("", op, kOpset); schema; schema = find_schema("", op, first - 1)) {
    first = schema->since;
  }
  return first;
}

void drop_neutral_attributes(Node& node, const Schema& schema) {
  const std::vector<Attributes::Entry> entries = node.attributes.entries();
  for (const auto& [name, value] : entries) {
    if (!schema.find(name) && is_neutral(node.op, name, value)) node.attributes.remove(name);
  }
}

std::string misfit(const Graph& graph, const Node& node, const Schema& schema) {
  for (const auto& [name, value] : node.attributes.entries()) {
    const Schema::Attribute* known = schema.find(name);
    if (!known) return "this opset does not have the attribute " + name;
    const int32_t type = type_number(value);
    // Types are kept as text, sparse tensors as dense ones.
    const bool is_type = known->type == static_cast<int32_t>(AttributeType::kTypeProto) &&
                         type == static_cast<int32_t>(AttributeType::kString);
    if (type != known->type && !is_type) return "the attribute " + name + " is of another type";
  }
  for (const Schema::Attribute& attribute : schema.attributes) {
    if (attribute.required && !node.attributes.has(attribute.name)) {
      return "the attribute " + std::string(attribute.name) + " is missing";
    }
  }
  const std::string inputs = port_misfit(graph, node.inputs, schema.inputs, "input");
  return inputs.empty() ? port_misfit(graph, node.outputs, schema.outputs, "output") : inputs;
}

std::optional<DType> wider_dtype(const Node& node, const Schema::Formal& formal, DType dtype) {
  using enum DType;
  const bool moves = contains(kMoves, node.op);
  const bool wraps = contains(kWrapping, node.op) || contains(kExactWholes, node.op);
  std::vector<DType> candidates;
  switch (dtype) {
    case kBool:
      if (moves) candidates = {kU8, kI8, kI32, kF32};
      break;
    case kI8:
    case kU8:
    case kI16:
    case kU16:
      candidates = {kI32, kI64};
      if (moves) candidates.push_back(kF32);
      break;
    case kI32:
    case kU32:
      candidates = {kI64};
      if (moves) candidates.push_back(kF64);
      break;
    case kF16:
    case kBF16:
      candidates = {kF32};
      break;
    default:
      break;
  }
  // Any operator may compute half precision in single: it rounds less.
  if (!moves && !wraps && dtype != kF16 && dtype != kBF16) return std::nullopt;
  for (const DType candidate : candidates) {
    if (formal.types.has(schema_type(ValueType::unranked(candidate)))) return candidate;
  }
  return std::nullopt;
}

}  // namespace lanthorn::onnx
