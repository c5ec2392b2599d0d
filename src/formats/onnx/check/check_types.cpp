// The type constraints of operators, and types of outputs that follow from them.

#include <algorithm>

#include "formats/onnx/check/checker.h"
#include "formats/onnx/types.h"

namespace lanthorn::onnx {
namespace {

std::string_view data_type_name(int32_t type) {
  constexpr std::string_view kNames[] = {
      "undefined",      "float",    "uint8",        "int8",           "uint16",
      "int16",          "int32",    "int64",        "string",         "bool",
      "float16",        "double",   "uint32",       "uint64",         "complex64",
      "complex128",     "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
      "float8e5m2fnuz", "uint4",    "int4",         "float4e2m1",     "float8e8m0",
      "uint2",          "int2"};
  return type > 0 && static_cast<size_t>(type) < std::size(kNames) ? kNames[type]
                                                                   : std::string_view{};
}

std::string wrapped(std::string_view outer, const std::string& inner) {
  return inner.empty() ? std::string{} : std::string(outer) + "(" + inner + ")";
}

}  // namespace

std::string tensor_type_name(int32_t data_type) {
  return wrapped("tensor", std::string(data_type_name(data_type)));
}

std::string type_name(const TypeProto& type) {
  using enum TypeProto::Kind;
  const std::string inner = type.inner ? type_name(*type.inner) : std::string{};
  switch (type.kind) {
    case kTensor:
      return tensor_type_name(type.element);
    case kSparse:
      return wrapped("sparse_tensor", std::string(data_type_name(type.element)));
    case kSequence:
      return wrapped("seq", inner);
    case kOptional:
      return wrapped("optional", inner);
    case kMap: {
      if (inner.empty() || data_type_name(type.element).empty()) return {};
      // The table writes the values of maps without "tensor".
      const bool plain = inner.starts_with("tensor(");
      return "map(" + std::string(data_type_name(type.element)) + ", " +
             (plain ? inner.substr(7, inner.size() - 8) : inner) + ")";
    }
    case kUnset:
    case kOpaque:
      break;
  }
  return {};
}

std::string_view CheckScope::type(std::string_view name) const {
  for (const CheckScope* scope = this; scope; scope = scope->outer) {
    if (const auto found = scope->types.find(name); found != scope->types.end())
      return found->second;
  }
  return {};
}

namespace {

const Schema::Formal* formal_at(const std::vector<Schema::Formal>& formals, size_t i) {
  if (formals.empty()) return nullptr;
  return &formals[std::min(i, formals.size() - 1)];
}

// What an attribute says of the type of the first output, where it is not an input's.
std::string type_by_attribute(const NodeProto& node) {
  const bool shaped = node.op == "Constant" || node.op == "ConstantOfShape";
  if (shaped) {
    if (const AttributeProto* value = node.find("value"); value && value->tensors.size() == 1) {
      return tensor_type_name(value->tensors[0].data_type);
    }
    return {};
  }
  for (const std::string_view name : {"to", "dtype", "output_dtype", "output_datatype"}) {
    const AttributeProto* attribute = node.find(name);
    if (attribute && attribute->integer)
      return tensor_type_name(static_cast<int32_t>(*attribute->integer));
  }
  return {};
}

}  // namespace

std::vector<std::string> Checker::check_types(const NodeProto& node, const CheckScope& scope) {
  std::vector<std::string> outputs(node.outputs.size());
  const std::optional<Schema> schema = schema_of(node);
  if (!schema || schema->deprecated) return outputs;
  std::map<std::string_view, std::string_view> bound;  // types of the schema's variables
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Schema::Formal* formal = formal_at(schema->inputs, i);
    const std::string_view type = scope.type(node.inputs[i]);
    if (!formal || node.inputs[i].empty() || type.empty()) continue;
    const std::string value(node.inputs[i]);
    if (!formal->types.has(type)) {
      add("input " + std::to_string(i) + " is " + std::string(type) + ", which " +
              std::string(node.op) + " does not take at this opset",
          value);
      continue;
    }
    if (formal->variable.empty() || !formal->same_type) continue;
    const auto [known, fresh] = bound.emplace(formal->variable, type);
    if (!fresh && known->second != type) {
      add("input " + std::to_string(i) + " is " + std::string(type) + " where another is " +
              std::string(known->second) + "; they must be of one type",
          value);
    }
  }
  const std::string told = type_by_attribute(node);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Schema::Formal* formal = formal_at(schema->outputs, i);
    if (!formal) continue;
    if (const auto only = formal->types.only())
      outputs[i] = std::string(*only);
    else if (i == 0 && !told.empty())
      outputs[i] = told;
    else if (formal->same_type) {
      const auto known = bound.find(formal->variable);
      if (known != bound.end()) outputs[i] = std::string(known->second);
    }
  }
  return outputs;
}

}  // namespace lanthorn::onnx
