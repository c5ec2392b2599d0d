// Nodes: attributes, constants, and calls of the model's own functions.

#include <algorithm>

#include "formats/onnx/importer.h"
#include "formats/onnx/nchwc.h"
#include "formats/onnx/raise.h"
#include "formats/onnx/types.h"

namespace lanthorn::onnx {
namespace {

// Calls nest at most so deep; ONNX forbids recursion, and each call takes a few frames here.
constexpr uint32_t kMaxCallDepth = 64;

std::vector<int64_t> integers(const ProtoNumbers& numbers) {
  std::vector<int64_t> list;
  list.reserve(numbers.size());
  numbers.for_each([&](uint64_t value) { list.push_back(static_cast<int64_t>(value)); });
  return list;
}

std::vector<float> reals(const ProtoNumbers& numbers) {
  std::vector<float> list;
  list.reserve(numbers.size());
  numbers.for_each([&](uint64_t bits) { list.push_back(ProtoField{.value = bits}.real32()); });
  return list;
}

// "models/resnet.py:93", the last line of the stack that the exporter noted.
std::string source_of(const NodeProto& node) {
  for (const auto& [key, value] : node.metadata) {
    if (key != "pkg.torch.onnx.stack_trace") continue;
    const size_t file = value.rfind("File \"");
    if (file == std::string_view::npos) return {};
    const size_t begin = file + 6;
    const size_t end = value.find('"', begin);
    const size_t line = value.find("line ", begin);
    if (end == std::string_view::npos || line == std::string_view::npos) return {};
    const size_t stop = value.find_first_not_of("0123456789", line + 5);
    return std::string(value.substr(begin, end - begin)) + ":" +
           std::string(
               value.substr(line + 5, stop == std::string_view::npos ? stop : stop - line - 5));
  }
  return {};
}

}  // namespace

Status Importer::index_functions() {
  for (const FunctionProto& function : model_.functions) {
    const FunctionKey key{short_domain(function.domain), function.name, function.overload};
    if (!functions_.emplace(key, &function).second) {
      return Error{ErrorCode::kCorrupt,
                   "two functions are called '" + std::string(function.domain) + "." +
                       std::string(function.name) + "'",
                   "", ""};
    }
  }
  return ok();
}

const FunctionProto* Importer::function_of(const NodeProto& node) const {
  const auto found = functions_.find({short_domain(node.domain), node.op, node.overload});
  return found == functions_.end() ? nullptr : found->second;
}

Result<Attribute> Importer::import_attribute(const AttributeProto& proto, Scope& scope) {
  LAN_OK(spend(64 + 8 * (proto.integers.size() + proto.reals.size()) + 64 * proto.texts.size()));
  const auto wrong = [&] {
    return Error{ErrorCode::kCorrupt, "the value does not fit its type", "", ""};
  };
  switch (static_cast<AttributeType>(proto.type)) {
    case AttributeType::kFloat:
      return Attribute(proto.real.value_or(0));
    case AttributeType::kInt:
      return Attribute(proto.integer.value_or(0));
    case AttributeType::kString:
      return Attribute(std::string(proto.text.value_or("")));
    case AttributeType::kFloats:
      return Attribute(reals(proto.reals));
    case AttributeType::kInts:
      return Attribute(integers(proto.integers));
    case AttributeType::kStrings:
      return Attribute(std::vector<std::string>(proto.texts.begin(), proto.texts.end()));
    case AttributeType::kTensor: {
      if (proto.tensors.size() != 1) return wrong();
      LAN_TRY(Tensor tensor, tensors_.read(proto.tensors[0]));
      return Attribute(std::move(tensor));
    }
    case AttributeType::kTensors: {
      std::vector<Tensor> list;
      for (const TensorProto& item : proto.tensors) {
        LAN_TRY(Tensor tensor, tensors_.read(item));
        list.push_back(std::move(tensor));
      }
      return Attribute(std::move(list));
    }
    case AttributeType::kSparseTensor: {
      if (!proto.sparse) return wrong();
      LAN_TRY(Tensor tensor, tensors_.read_sparse(*proto.sparse));
      return Attribute(std::move(tensor));
    }
    case AttributeType::kGraph: {
      if (proto.graphs.size() != 1) return wrong();
      LAN_TRY(auto graph, import_subgraph(*proto.graphs[0], scope));
      return Attribute(std::move(graph));
    }
    case AttributeType::kGraphs: {
      std::vector<std::shared_ptr<Graph>> list;
      for (const auto& item : proto.graphs) {
        LAN_TRY(auto graph, import_subgraph(*item, scope));
        list.push_back(std::move(graph));
      }
      return Attribute(std::move(list));
    }
    case AttributeType::kTypeProto: {
      if (!proto.type_proto) return wrong();
      LAN_TRY(const ValueType type, value_type(*proto.type_proto, ""));
      return Attribute(type_text(type));
    }
    case AttributeType::kSparseTensors:
    case AttributeType::kTypeProtos:
    case AttributeType::kUndefined:
      break;
  }
  return Error{ErrorCode::kUnsupported,
               "attributes of type " + std::to_string(proto.type) + " are not supported", "", ""};
}

Result<Node> Importer::plain_node(const NodeProto& proto, Scope& scope) {
  Node node;
  node.op = std::string(proto.op);
  node.domain = std::string(short_domain(proto.domain));
  node.name = scope.prefix + std::string(proto.name);
  node.source = source_of(proto);
  LAN_OK(spend(node.op.size() + node.domain.size() + node.name.size() + node.source.size()));
  for (const std::string_view name : proto.inputs) {
    if (name.empty()) {
      node.inputs.push_back(kNoValue);
      continue;
    }
    const auto id = scope.find(name);
    if (!id) {
      return Error{ErrorCode::kCorrupt, "nothing makes the input '" + std::string(name) + "'", "",
                   ""};
    }
    node.inputs.push_back(*id);
  }
  while (!node.inputs.empty() && node.inputs.back() == kNoValue) node.inputs.pop_back();
  for (const std::string_view name : proto.outputs) {
    node.outputs.push_back(name.empty() ? kNoValue : scope.names.at(name));
  }
  while (!node.outputs.empty() && node.outputs.back() == kNoValue) node.outputs.pop_back();
  for (const AttributeProto& attribute : proto.attributes) {
    const std::string name(attribute.name);
    if (node.attributes.has(name)) {
      return Error{ErrorCode::kCorrupt, "two attributes are called '" + name + "'", "", ""};
    }
    const AttributeProto* given = &attribute;
    if (!attribute.ref_name.empty()) {
      const auto bound =
          scope.bindings ? scope.bindings->find(attribute.ref_name) : Bindings::const_iterator{};
      if (!scope.bindings || bound == scope.bindings->end()) continue;  // the default holds
      given = bound->second;
    }
    auto value = import_attribute(*given, scope);
    if (!value) return std::move(value).error().at("attribute '" + name + "'");
    node.attributes.set(name, *std::move(value));
  }
  return node;
}

// An empty optional is of the type that its attribute tells, which is kept with the value.
Status Importer::note_optional(const NodeProto& proto, const Node& node, Scope& scope) {
  const AttributeProto* type = proto.op == "Optional" ? proto.find("type") : nullptr;
  if (!type || !type->type_proto || node.outputs.empty() || node.outputs[0] == kNoValue) return ok();
  LAN_TRY(ValueType element, value_type(*type->type_proto, ""));
  scope.graph().values[node.outputs[0]].type = {
      .kind = ValueType::Kind::kOptional,
      .element = std::make_shared<const ValueType>(std::move(element))};
  return ok();
}

Status Importer::import_node(const NodeProto& proto, Scope& scope) {
  if (const FunctionProto* function = function_of(proto)) {
    return import_call(proto, *function, scope);
  }
  LAN_TRY(Node node, plain_node(proto, scope));
  LAN_OK(note_optional(proto, node, scope));
  if (node.domain == kNchwcDomain) {
    scope.build->hints.catch_up(scope.graph());
    return append_plain_layout(scope.graph(), nchwc_block_, std::move(node));
  }
  if (node.domain == "com.microsoft") return append_microsoft(scope.graph(), std::move(node));
  if (!node.domain.empty()) {
    scope.graph().nodes.push_back(std::move(node));
    return ok();
  }
  if (scope.opsets->onnx() == 0) {
    return Error{ErrorCode::kCorrupt, "the model imports no opset of ai.onnx, but uses it", "", ""};
  }
  // The newest opset before which a rule asks for types is 14.
  constexpr int kTypedRules = 14;
  if (scope.opsets->onnx() < kTypedRules) scope.build->hints.catch_up(scope.graph());
  return append_raised(scope.graph(), scope.opsets->onnx(), std::move(node));
}

Status Importer::import_constant(const NodeProto& proto, Scope& scope) {
  if (proto.outputs.size() != 1 || proto.outputs[0].empty() || !proto.inputs.empty()) {
    return Error{ErrorCode::kCorrupt, "a Constant has one output and no input", "", ""};
  }
  if (proto.attributes.size() != 1) {
    return Error{ErrorCode::kCorrupt, "a Constant has exactly one attribute", "", ""};
  }
  const AttributeProto* given = &proto.attributes[0];
  const std::string_view name = given->name;
  if (!given->ref_name.empty()) {
    const auto bound =
        scope.bindings ? scope.bindings->find(given->ref_name) : Bindings::const_iterator{};
    if (!scope.bindings || bound == scope.bindings->end()) {
      return Error{ErrorCode::kCorrupt,
                   "the function's attribute '" + std::string(given->ref_name) + "' was not given",
                   "", ""};
    }
    given = bound->second;
  }
  LAN_TRY(Attribute value, import_attribute(*given, scope));
  Tensor tensor;
  if (auto* whole = std::get_if<Tensor>(&value)) {
    tensor = *whole;
  } else if (const auto* number = std::get_if<int64_t>(&value); number && name == "value_int") {
    tensor = Tensor::scalar_i64(*number);
  } else if (const auto* real = std::get_if<float>(&value); real && name == "value_float") {
    tensor = Tensor::scalar_f32(*real);
  } else if (const auto* text = std::get_if<std::string>(&value); text && name == "value_string") {
    tensor = Tensor::of_strings({}, {*text});
  } else if (const auto* numbers = std::get_if<std::vector<int64_t>>(&value)) {
    tensor = Tensor::of_ints(*numbers);
  } else if (const auto* list = std::get_if<std::vector<float>>(&value)) {
    tensor = Tensor::of_floats(*list);
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    tensor = Tensor::of_strings({static_cast<int64_t>(texts->size())}, *texts);
  } else {
    return Error{ErrorCode::kCorrupt,
                 "a Constant cannot have the attribute '" + std::string(name) + "'", "", ""};
  }
  const std::string_view output = proto.outputs[0];
  LAN_OK(spend(sizeof(GraphValue) + 3 * output.size() + 128));
  if (const auto known = scope.names.find(output); known != scope.names.end()) {
    // In a function's body: the call's own output is a constant.
    if (!scope.bindings || scope.graph().constant(known->second)) {
      return Error{ErrorCode::kCorrupt, "two values are called '" + std::string(output) + "'", "",
                   ""};
    }
    const ValueId id = scope.graph().add_constant(std::move(tensor));
    Node copy{.op = "Identity", .inputs = {id}, .outputs = {known->second}};
    scope.graph().nodes.push_back(std::move(copy));
    return ok();
  }
  const std::string unique = scope.build->unique_name(scope.prefix + std::string(output));
  scope.names.emplace(output, scope.graph().add_constant(std::move(tensor), unique));
  return ok();
}

Status Importer::import_call(const NodeProto& proto, const FunctionProto& function, Scope& scope) {
  if (call_depth_ == kMaxCallDepth) {
    return Error{ErrorCode::kCorrupt, "functions call each other too deep", "", ""};
  }
  if (proto.inputs.size() > function.inputs.size() ||
      proto.outputs.size() > function.outputs.size()) {
    return Error{ErrorCode::kCorrupt, "the function has fewer inputs or outputs than the call", "",
                 ""};
  }
  LAN_TRY(const Opsets opsets, Opsets::of(function.opsets, model_.ir_version));
  Bindings bindings;
  for (const AttributeProto& attribute : function.default_attributes) {
    bindings[attribute.name] = &attribute;
  }
  for (const AttributeProto& attribute : proto.attributes) {
    const AttributeProto* given = &attribute;
    if (!attribute.ref_name.empty()) {
      const auto bound =
          scope.bindings ? scope.bindings->find(attribute.ref_name) : Bindings::const_iterator{};
      if (!scope.bindings || bound == scope.bindings->end()) continue;
      given = bound->second;
    }
    if (!given->graphs.empty()) {
      return Error{ErrorCode::kUnsupported, "graphs as attributes of functions are not supported",
                   "", ""};
    }
    bindings[attribute.name] = given;
  }
  const std::string base(proto.name.empty() ? proto.op : proto.name);
  Scope body{scope.build, nullptr, &opsets, &bindings, scope.prefix + base + "/", {}};
  if (body.prefix.size() > 4096) body.prefix.resize(4096);
  ++call_depth_;
  const Status imported = import_body(proto, function, scope, body);
  --call_depth_;
  return imported;
}

Status Importer::import_body(const NodeProto& proto, const FunctionProto& function, Scope& scope,
                             Scope& body) {
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    ValueId id = kNoValue;
    if (i < proto.inputs.size() && !proto.inputs[i].empty()) {
      const auto found = scope.find(proto.inputs[i]);
      if (!found) {
        return Error{ErrorCode::kCorrupt,
                     "nothing makes the input '" + std::string(proto.inputs[i]) + "'", "", ""};
      }
      id = *found;
    }
    if (!body.names.emplace(function.inputs[i], id).second) {
      return Error{
          ErrorCode::kCorrupt,
          "two inputs of the function are called '" + std::string(function.inputs[i]) + "'", "",
          ""};
    }
  }
  for (size_t i = 0; i < function.outputs.size() && i < proto.outputs.size(); ++i) {
    if (proto.outputs[i].empty()) continue;
    const ValueId id = scope.names.at(proto.outputs[i]);
    const auto [known, is_new] = body.names.emplace(function.outputs[i], id);
    if (is_new) continue;
    // An input that is handed through.
    if (known->second == kNoValue) {
      return Error{ErrorCode::kCorrupt, "an output of the function is an input that was not given",
                   "", ""};
    }
    Node copy{.op = "Identity", .inputs = {known->second}, .outputs = {id}};
    scope.graph().nodes.push_back(std::move(copy));
  }
  auto imported = import_nodes(function.nodes, nullptr, body);
  if (!imported)
    return std::move(imported).error().at("function '" + std::string(function.name) + "'");
  return ok();
}

}  // namespace lanthorn::onnx
