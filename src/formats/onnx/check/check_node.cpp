// Nodes and their attributes.

#include <algorithm>
#include <array>

#include "formats/onnx/check/checker.h"
#include "formats/onnx/importer.h"

namespace lanthorn::onnx {
namespace {

// Operators that never left the stage of experiments; nothing is known of them.
bool is_experimental(const NodeProto& node) {
  constexpr std::array<std::string_view, 11> kNames = {"ATen",
                                                       "Affine",
                                                       "ConstantFill",
                                                       "Crop",
                                                       "DynamicSlice",
                                                       "GRUUnit",
                                                       "GivenTensorFill",
                                                       "ImageScaler",
                                                       "ParametricSoftplus",
                                                       "Scale",
                                                       "ScaledTanh"};
  return short_domain(node.domain).empty() &&
         std::find(kNames.begin(), kNames.end(), node.op) != kNames.end();
}

bool is_builtin(std::string_view domain) {
  return domain.empty() || domain == "ai.onnx.ml" || domain == "ai.onnx.training" ||
         domain == "ai.onnx.preview.training";
}

std::string count_text(const Arity& arity) {
  if (arity.most == SIZE_MAX) return "at least " + std::to_string(arity.least);
  if (arity.least == arity.most) return std::to_string(arity.least);
  return std::to_string(arity.least) + " to " + std::to_string(arity.most);
}

std::string_view attribute_type_name(int32_t type) {
  constexpr std::array<std::string_view, 15> kNames = {
      "nothing", "a float",         "an integer",     "a string", "a tensor",
      "a graph", "floats",          "integers",       "strings",  "tensors",
      "graphs",  "a sparse tensor", "sparse tensors", "a type",   "types"};
  return type >= 0 && static_cast<size_t>(type) < kNames.size() ? kNames[static_cast<size_t>(type)]
                                                                : "of unknown type";
}

bool is_list(int32_t type) { return type >= 6 && type != 11 && type != 13; }

// The types of the values that an attribute has; a list of one tensor may be either.
std::vector<int32_t> value_types(const AttributeProto& a) {
  using enum AttributeType;
  std::vector<int32_t> types;
  const auto note = [&](bool there, AttributeType type) {
    if (there) types.push_back(static_cast<int32_t>(type));
  };
  note(a.real.has_value(), kFloat);
  note(a.integer.has_value(), kInt);
  note(a.text.has_value(), kString);
  const bool tensor_list = a.type == static_cast<int32_t>(kTensors);
  const bool graph_list = a.type == static_cast<int32_t>(kGraphs);
  note(!a.tensors.empty(), tensor_list ? kTensors : kTensor);
  note(!a.graphs.empty(), graph_list ? kGraphs : kGraph);
  note(!a.reals.empty(), kFloats);
  note(!a.integers.empty(), kInts);
  note(!a.texts.empty(), kStrings);
  note(a.sparse.has_value(), kSparseTensor);
  note(a.type_proto.has_value(), kTypeProto);
  return types;
}

}  // namespace

std::optional<Schema> Checker::schema_of(const NodeProto& node) const {
  const std::string_view domain = short_domain(node.domain);
  const auto version = opsets_.find(domain);
  if (version == opsets_.end()) return std::nullopt;
  return find_schema(domain, node.op, version->second);
}

void Checker::check_attribute(const AttributeProto& attribute, const CheckScope& scope) {
  const std::string name = "attribute '" + std::string(attribute.name) + "'";
  if (attribute.name.empty()) return add("an attribute has no name");
  const std::vector<int32_t> types = value_types(attribute);
  constexpr int64_t kIrWithTypes = 2;
  if (model_.ir_version >= kIrWithTypes && !attribute.typed) return add(name + " has no type");
  for (const int32_t type : types) {
    if (attribute.typed && type != attribute.type) {
      return add(name + " says that it is " + std::string(attribute_type_name(attribute.type)) +
                 ", but holds " + std::string(attribute_type_name(type)));
    }
  }
  if (types.size() > 1) return add(name + " holds more than one value");
  if (!in_main_graph_ && !attribute.ref_name.empty() && !types.empty()) {
    return add(name + " refers to an attribute of its function, but has a value too");
  }
  for (const TensorProto& tensor : attribute.tensors) check_tensor(tensor);
  if (attribute.sparse) check_sparse(*attribute.sparse);
  for (const auto& graph : attribute.graphs) check_graph(*graph, &scope, false);
}

void Checker::check_schema(const NodeProto& node, const Schema& schema) {
  const std::string op(node.op);
  const auto check_ports = [&](const std::vector<std::string_view>& given,
                               const std::vector<Schema::Formal>& formals, std::string_view what) {
    const Arity arity = arity_of(formals);
    if (given.size() < arity.least || given.size() > arity.most) {
      add(op + " of opset " + std::to_string(schema.since) + " has " + count_text(arity) + " " +
          std::string(what) + "s, not " + std::to_string(given.size()));
      return;
    }
    for (size_t i = 0; i < given.size() && i < formals.size(); ++i) {
      if (given[i].empty() && formals[i].port == Schema::Port::kSingle) {
        add(std::string(what) + " " + std::to_string(i) + " must not be left out");
      }
    }
  };
  check_ports(node.inputs, schema.inputs, "input");
  check_ports(node.outputs, schema.outputs, "output");
  for (const AttributeProto& attribute : node.attributes) {
    if (attribute.name.empty() || attribute.name.starts_with("__")) continue;
    const std::string name = "attribute '" + std::string(attribute.name) + "'";
    const Schema::Attribute* known = schema.find(attribute.name);
    if (!known) {
      add(op + " of opset " + std::to_string(schema.since) + " has no " + name);
    } else if (attribute.type != known->type) {
      add(name + " is " + std::string(attribute_type_name(attribute.type)) + ", but must be " +
          std::string(attribute_type_name(known->type)));
    } else if (attribute.ref_name.empty() && !is_list(known->type) && known->type > 3 &&
               value_types(attribute).empty()) {
      add(name + " has no value");
    }
  }
  for (const Schema::Attribute& attribute : schema.attributes) {
    if (attribute.required && !node.find(attribute.name)) {
      add("attribute '" + std::string(attribute.name) + "' is missing");
    }
  }
}

void Checker::check_node(const NodeProto& node, const CheckScope& scope) {
  if (node.op.empty()) return add("the node has no operator");
  if (node.inputs.empty() && node.outputs.empty()) add("the node has neither inputs nor outputs");
  const std::string_view domain = short_domain(node.domain);
  for (size_t i = 0; i < node.attributes.size(); ++i) {
    const AttributeProto& attribute = node.attributes[i];
    if (node.find(attribute.name) != &attribute) {
      add("two attributes are called '" + std::string(attribute.name) + "'");
      continue;
    }
    check_attribute(attribute, scope);
  }
  const auto version = opsets_.find(domain);
  if (version == opsets_.end())
    return add("the model imports no opset of domain '" + std::string(node.domain) + "'");
  if (is_experimental(node)) return;
  const std::optional<Schema> schema = schema_of(node);
  const std::string at = " at opset " + std::to_string(version->second);
  if (!schema) {
    if (is_builtin(domain)) add("there is no operator " + std::string(node.op) + at);
  } else if (schema->deprecated) {
    add("the operator " + std::string(node.op) + " is deprecated" + at);
  } else {
    check_schema(node, *schema);
  }
}

}  // namespace lanthorn::onnx
