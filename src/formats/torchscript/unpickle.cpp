#include "formats/torchscript/unpickle.h"

#include "formats/flat_tensors.h"
#include "script/instance.h"
#include "script/parser.h"
#include "script/quantized_tensor.h"

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;
using script::ClassType;
using ScriptValue = script::Value;

constexpr int kMaxDepth = 600;
constexpr int kMaxTypeDepth = 32;

}  // namespace

Error ScriptUnpickler::corrupt(PickleId id, std::string message) const {
  return Error{ErrorCode::kCorrupt, std::move(message), "byte " + std::to_string(tree_[id].offset),
               ""};
}

Result<ScriptValue> ScriptUnpickler::build() { return value(tree_.root); }

Result<ScriptValue> ScriptUnpickler::value(PickleId id) {
  if (id == kNoPickle) return ScriptValue(script::None{});
  if (const auto it = known_.find(id); it != known_.end()) return it->second;
  bool& open = open_[id];
  if (open) return corrupt(id, "a value holds itself");
  if (depth_ >= kMaxDepth) {
    return Error{ErrorCode::kLimit,
                 "values are nested more than " + std::to_string(kMaxDepth) + " deep",
                 "byte " + std::to_string(tree_[id].offset), ""};
  }
  open = true;
  ++depth_;
  auto made = make(id);
  --depth_;
  open_.erase(id);
  if (made) known_.emplace(id, *made);
  return made;
}

Result<std::vector<ScriptValue>> ScriptUnpickler::values(const std::vector<PickleId>& ids) {
  std::vector<ScriptValue> out;
  out.reserve(ids.size());
  for (const PickleId id : ids) {
    LAN_TRY(ScriptValue item, value(id));
    out.push_back(std::move(item));
  }
  return out;
}

Result<ScriptValue> ScriptUnpickler::dict(const std::vector<PickleId>& entries) {
  auto out = std::make_shared<script::Dict>();
  for (size_t i = 0; i + 1 < entries.size(); i += 2) {
    LAN_TRY(ScriptValue key, value(entries[i]));
    LAN_TRY(ScriptValue item, value(entries[i + 1]));
    out->entries.emplace_back(std::move(key), std::move(item));
  }
  return ScriptValue(std::move(out));
}

Result<ScriptValue> ScriptUnpickler::make(PickleId id) {
  const PickleNode& node = tree_[id];
  switch (node.kind) {
    case Kind::kNone:
      return ScriptValue(script::None{});
    case Kind::kBool:
      return ScriptValue::of_bool(node.flag);
    case Kind::kInt:
      return ScriptValue(Dim(node.integer));
    case Kind::kFloat:
      return ScriptValue::of_double(node.real);
    case Kind::kString:
    case Kind::kBytes:
      return ScriptValue(node.text);
    case Kind::kBigInt:
      return corrupt(id, "an integer has more than 64 bits");
    case Kind::kList: {
      LAN_TRY(std::vector<ScriptValue> items, values(node.items));
      return script::make_list(std::move(items));
    }
    case Kind::kTuple: {
      LAN_TRY(std::vector<ScriptValue> items, values(node.items));
      return script::make_tuple(std::move(items));
    }
    case Kind::kDict:
      return dict(node.entries);
    case Kind::kGlobal:
      return ScriptValue(node.text);  // a quantization scheme, say
    case Kind::kCall:
      return make_call(id);
    default:
      return corrupt(id, "a value of a kind that TorchScript does not pickle");
  }
}

Result<ScriptValue> ScriptUnpickler::typed_list(PickleId arguments, std::string element) {
  const auto& items = tree_[arguments].items;
  if (items.size() != 1) return corrupt(arguments, "a typed list wants one list");
  LAN_TRY(const ScriptValue inner, value(items[0]));
  if (!inner.list()) return corrupt(arguments, "a typed list holds no list");
  inner.list()->element_type = std::move(element);
  return inner;
}

void ScriptUnpickler::apply(const script::Type& type, const ScriptValue& target, int depth) {
  if (depth > kMaxTypeDepth) return;
  if (const auto list = target.list(); list && type.args.size() == 1) {
    if (list->element_type.empty()) list->element_type = script::type_text(type.args[0]);
    if (type.args[0].args.empty()) return;
    for (const ScriptValue& item : list->items) apply(type.args[0], item, depth + 1);
  } else if (const auto dict = target.dict(); dict && type.args.size() == 2) {
    dict->key_type = script::type_text(type.args[0]);
    dict->value_type = script::type_text(type.args[1]);
    for (const auto& [key, item] : dict->entries) apply(type.args[1], item, depth + 1);
  } else if (type.optional() && !type.args.empty()) {
    apply(type.args[0], target, depth + 1);
  } else if (const auto tuple = target.tuple(); tuple && type.args.size() == tuple->items.size()) {
    for (size_t i = 0; i < tuple->items.size(); ++i)
      apply(type.args[i], tuple->items[i], depth + 1);
  }
}

Result<ScriptValue> ScriptUnpickler::make_call(PickleId id) {
  const PickleNode& node = tree_[id];
  if (node.callee == kNoPickle || tree_[node.callee].kind != Kind::kGlobal)
    return corrupt(id, "a call of what has no name");
  const std::string& name = tree_[node.callee].text;
  if (tensors_.makes_tensor(id)) return make_tensor(id);
  if (name == "torch.jit._pickle.build_intlist") return typed_list(node.arguments, "int");
  if (name == "torch.jit._pickle.build_doublelist") return typed_list(node.arguments, "float");
  if (name == "torch.jit._pickle.build_boollist") return typed_list(node.arguments, "bool");
  if (name == "torch.jit._pickle.build_tensorlist") return typed_list(node.arguments, "Tensor");
  const std::vector<PickleId> arguments = tree_[node.arguments].kind == Kind::kTuple
                                              ? tree_[node.arguments].items
                                              : std::vector<PickleId>{};
  if (name == "torch.jit._pickle.restore_type_tag") {
    if (arguments.size() != 2 || tree_[arguments[1]].kind != Kind::kString)
      return corrupt(id, "a type tag without a value or a type");
    LAN_TRY(const ScriptValue inner, value(arguments[0]));
    auto type = script::parse_type(tree_[arguments[1]].text);
    if (!type)
      return corrupt(id,
                     "the type '" + tree_[arguments[1]].text.substr(0, 80) + "' cannot be read");
    apply(*type, inner, 0);
    return inner;
  }
  if (name == "torch.device") {
    if (arguments.empty() || tree_[arguments[0]].kind != Kind::kString)
      return corrupt(id, "a device without a name");
    return ScriptValue(script::Device{tree_[arguments[0]].text});
  }
  if (name == "builtins.complex" || name == "__builtin__.complex") {
    if (arguments.size() != 2) return corrupt(id, "a complex number without two parts");
    LAN_TRY(const ScriptValue real, value(arguments[0]));
    LAN_TRY(const ScriptValue imaginary, value(arguments[1]));
    if (!real.real() || !imaginary.real())
      return corrupt(id, "a complex number of what are no floats");
    return ScriptValue::of_complex({*real.real(), *imaginary.real()});
  }
  if (name == "collections.OrderedDict") return dict(node.entries);
  if (name.starts_with("__torch__.") || node.states.size() == 1) return make_object(id, name);
  return corrupt(id, "'" + name + "' is nothing that TorchScript pickles");
}

Result<ScriptValue> ScriptUnpickler::make_tensor(PickleId id) {
  LAN_TRY(RebuiltTensor rebuilt, tensors_.rebuild(id));
  if (!rebuilt.tensor.defined()) return corrupt(id, "a tensor without data");
  if (is_quantized(rebuilt.tensor.dtype())) return make_quantized_tensor(id, rebuilt);
  const Tensor& tensor = rebuilt.tensor;
  auto out = script::GraphLowering::loaded(tensor, "");
  std::shared_ptr<script::StorageRoot>& root =
      roots_[{tensor.storage().get(), tensor.offset_bytes(), tensor.dtype(), tensor.shape(),
              tensor.strides()}];
  if (root) {
    out->root = root;
  } else {
    root = out->root;
  }
  return ScriptValue(std::move(out));
}

/// An object of the integers and what they stand for.
Result<ScriptValue> ScriptUnpickler::make_quantized_tensor(PickleId id, const RebuiltTensor& rebuilt) {
  if (rebuilt.parts == kNoPickle) return corrupt(id, "a quantized tensor has no scheme, scale and zero point");
  LAN_TRY(const std::shared_ptr<const Quantizer> quantizer, make_quantizer(rebuilt.parts));
  const auto numbers = [&](const Tensor& given) -> Result<std::vector<double>> {
    LAN_TRY(const Tensor vector, given.contiguous());
    if (auto reals = vector.to_doubles()) return *std::move(reals);
    if (const auto ints = vector.to_ints()) return std::vector<double>(ints->begin(), ints->end());
    return corrupt(id, "a scale or zero point is no number");
  };
  const Tensor& integers = rebuilt.tensor;
  script::Rounding rounding;
  rounding.dtype = integers.dtype();
  rounding.axis = quantizer->axis;
  LAN_TRY(rounding.scales, numbers(quantizer->scales));
  LAN_TRY(rounding.zero_points, numbers(quantizer->zero_points));
  const bool one = rounding.axis == -1;
  if (one && (rounding.scales.size() != 1 || rounding.zero_points.size() != 1)) return corrupt(id, "a quantized tensor has more than one scale");
  const bool fits = one || (rounding.axis >= 0 && rounding.axis < static_cast<int64_t>(integers.rank()) &&
                            static_cast<int64_t>(rounding.scales.size()) == integers.shape()[static_cast<size_t>(rounding.axis)] &&
                            rounding.zero_points.size() == rounding.scales.size());
  if (!fits) return corrupt(id, "a quantized tensor's scales do not fit its shape");
  script::TensorRef held = script::GraphLowering::loaded(integers, "");
  quantizers_[held->root.get()] = quantizer;
  return script::loaded_quantized(std::move(held), rounding);
}

/// Of (scheme, scale, zero point[, axis]).
Result<std::shared_ptr<const Quantizer>> ScriptUnpickler::make_quantizer(PickleId parts) {
  const std::vector<PickleId>& items = tree_[parts].items;
  if (items.size() < 3) return corrupt(parts, "a quantized tensor has no scheme, scale and zero point");
  const auto number = [&](PickleId id) -> Result<Tensor> {
    const PickleNode& node = tree_[id];
    if (node.kind == Kind::kInt) return Tensor::scalar_i64(node.integer);
    if (node.kind == Kind::kFloat) {
      return Tensor::of<double>(DType::kF64, {}, std::span(&node.real, 1));
    }
    if (!tensors_.makes_tensor(id)) return corrupt(id, "a scale or zero point is no number");
    LAN_TRY(RebuiltTensor made, tensors_.rebuild(id));
    if (!made.tensor.defined()) return corrupt(id, "a scale or zero point has no data");
    return std::move(made.tensor);
  };
  auto quantizer = std::make_shared<Quantizer>();
  quantizer->scheme = tree_[items[0]].text;
  LAN_TRY(quantizer->scales, number(items[1]));
  LAN_TRY(quantizer->zero_points, number(items[2]));
  if (items.size() > 3 && tree_[items[3]].kind == Kind::kInt) {
    quantizer->axis = tree_[items[3]].integer;
  }
  return std::shared_ptr<const Quantizer>(std::move(quantizer));
}

std::shared_ptr<const ClassType> ScriptUnpickler::opaque(const std::string& name) {
  std::shared_ptr<const ClassType>& known = opaque_[name];
  if (!known) {
    auto type = std::make_shared<ClassType>();
    type->name = name;
    type->kind = ClassType::Kind::kOpaque;
    known = std::move(type);
  }
  return known;
}

Result<ScriptValue> ScriptUnpickler::make_object(PickleId id, const std::string& name) {
  const PickleNode& node = tree_[id];
  std::shared_ptr<const ClassType> type;
  if (auto found = classes_.find_class(name)) {
    type = *std::move(found);
  } else {
    // Weights stay readable where the code is not: PyTorch itself writes names that it cannot read.
    type = opaque(name);
    if (notes_.size() < 20)
      notes_.push_back(found.error().message +
                       (found.error().where.empty() ? "" : " (" + found.error().where + ")"));
  }
  if (type->kind == ClassType::Kind::kEnum) {
    LAN_TRY(const ScriptValue held, value(node.arguments));
    const auto tuple = held.tuple();
    const ScriptValue member_value = tuple && tuple->items.size() == 1 ? tuple->items[0] : held;
    auto member = std::make_shared<script::Object>();
    member->type = type;
    member->set("value", member_value);
    for (const script::FieldSyntax& field : type->syntax->fields) {
      if (!field.value) continue;
      const script::Expr& literal = *field.value;
      const bool same = (member_value.integer() && literal.kind == script::Expr::Kind::kInt &&
                         member_value.integer()->is(literal.integer)) ||
                        (member_value.real() && literal.kind == script::Expr::Kind::kFloat &&
                         *member_value.real() == literal.real) ||
                        (member_value.text() && literal.kind == script::Expr::Kind::kString &&
                         literal.text.size() >= 2 &&
                         *member_value.text() == literal.text.substr(1, literal.text.size() - 2));
      if (same) member->set("name", ScriptValue(field.name));
    }
    return ScriptValue(std::move(member));
  }
  auto object = std::make_shared<script::Object>();
  object->type = type;
  if (node.states.empty()) return ScriptValue(std::move(object));
  const PickleId state = node.states.back();
  if (type->method("__setstate__")) {
    LAN_TRY(const ScriptValue given, value(state));
    if (auto set = script::set_state(classes_, constants_, version_, object, given); !set) {
      object->set("__state__", given);
      notes_.push_back("the state of a " + type->readable_name() +
                       " could not be set: " + set.error().message);
    }
    return ScriptValue(std::move(object));
  }
  if (tree_[state].kind == Kind::kDict && type->kind != ClassType::Kind::kNamedTuple) {
    const auto& entries = tree_[state].entries;
    for (size_t i = 0; i + 1 < entries.size(); i += 2) {
      if (tree_[entries[i]].kind != Kind::kString)
        return corrupt(entries[i], "an attribute's name is no string");
      LAN_TRY(ScriptValue item, value(entries[i + 1]));
      if (const script::FieldSyntax* field = type->field(tree_[entries[i]].text))
        apply(field->type, item, 0);
      object->attributes.emplace_back(tree_[entries[i]].text, std::move(item));
    }
    return ScriptValue(std::move(object));
  }
  LAN_TRY(ScriptValue given, value(state));
  object->set("__state__", std::move(given));
  return ScriptValue(std::move(object));
}

}  // namespace lanthorn
