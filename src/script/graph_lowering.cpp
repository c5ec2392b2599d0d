// Nodes, constants and folding. Views and writes are in views.cpp, sizes in sizes.cpp.
#include "script/graph_lowering.h"

#include <array>

#include "base/check.h"
#include "ops/op.h"

namespace lanthorn::script {
namespace {

/// What folding may make, in elements: masks and position tables, not weights.
constexpr int64_t kMaxFolded = int64_t{1} << 18;
/// Weights of the file are kept as they are, but for ones as small as a number.
constexpr int64_t kMaxFoldedWeight = 16;
/// Elements that are followed one by one.
constexpr int64_t kMaxElements = 64;
constexpr size_t kMaxNodes = 400'000;
/// All that folding makes in one graph, in bytes.
constexpr uint64_t kMaxFoldedBytes = uint64_t{64} << 20;

std::optional<Dims> elements_of(const Tensor& tensor) {
  if (tensor.dtype() == DType::kString || tensor.count() > kMaxElements) return std::nullopt;
  const auto ints = tensor.to_ints();
  if (!ints) return std::nullopt;
  return Dims(ints->begin(), ints->end());
}

bool followed(DType dtype) { return is_integer(dtype) || dtype == DType::kBool; }

}  // namespace

ValueId GraphLowering::add_value(ValueType type, std::optional<Dims> elements) {
  const ValueId id = graph_->add_value("", std::move(type));
  elements_.resize(id + 1);
  weight_.resize(id + 1);
  elements_[id] = std::move(elements);
  return id;
}

ValueId GraphLowering::constant(Tensor tensor) {
  std::string key;
  if (tensor.dtype() != DType::kString && tensor.count() <= 16 && tensor.is_contiguous()) {
    const auto bytes = tensor.bytes();
    key = std::string(dtype_name(tensor.dtype())) + shape_text(tensor.shape());
    key.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (const auto it = small_constants_.find(key); it != small_constants_.end()) return it->second;
  }
  std::optional<Dims> elements = elements_of(tensor);
  Dims dims(tensor.shape().begin(), tensor.shape().end());
  const ValueId id =
      add_value(ValueType::tensor(tensor.dtype(), std::move(dims)), std::move(elements));
  graph_->values[id].constant = std::move(tensor);
  if (!key.empty()) small_constants_.emplace(std::move(key), id);
  return id;
}

const Tensor* GraphLowering::known(ValueId value) const { return graph_->constant(value); }

Result<ValueId> GraphLowering::emit(std::string op, std::vector<ValueId> inputs,
                                    Attributes attributes, std::string domain) {
  LAN_TRY(const std::vector<ValueId> made,
          emit_many(std::move(op), std::move(inputs), 1, std::move(attributes), std::move(domain)));
  return made[0];
}

Result<std::vector<ValueId>> GraphLowering::emit_many(std::string op, std::vector<ValueId> inputs,
                                                      size_t outputs, Attributes attributes,
                                                      std::string domain) {
  const OpEntry* entry = find_op(op, domain);
  if (!entry) return error(ErrorCode::kUnsupported, "the graph operator " + op + " is not there");
  if (graph_->nodes.size() >= kMaxNodes) {
    return error(ErrorCode::kLimit,
                 "the program makes more than " + std::to_string(kMaxNodes) + " nodes");
  }
  Node node;
  node.op = std::move(op);
  node.domain = std::move(domain);
  node.inputs = std::move(inputs);
  node.outputs.assign(outputs, 0);  // to be: kNoValue would say that nobody wants them
  node.attributes = std::move(attributes);

  std::vector<ValueType> types;
  std::vector<const Tensor*> constants;
  std::vector<std::optional<Dims>> elements;
  types.reserve(node.inputs.size());
  for (const ValueId id : node.inputs) {
    if (id == kNoValue) {
      types.push_back(ValueType::unranked(DType::kUndefined));
      constants.push_back(nullptr);
      elements.emplace_back();
    } else {
      types.push_back(graph_->values[id].type);
      if (!told_.empty()) {
        for (Dim& dim : types.back().dims) dim = settled(dim);
      }
      constants.push_back(graph_->constant(id));
      elements.push_back(elements_[id]);
    }
  }
  InferContext context(node, types, constants, elements);
  if (Status inferred = infer_node(*entry, context); !inferred) {
    Error failed = std::move(inferred).error();
    const std::string where = place ? place() : "";
    return std::move(failed).at(node.op).at(where);
  }
  LAN_CHECK(context.outputs.size() >= outputs);
  context.output_elements.resize(context.outputs.size());

  // What is known without running anything.
  std::vector<ValueId> made(outputs, kNoValue);
  bool all_told = true;
  for (size_t i = 0; i < outputs && all_told; ++i) {
    const ValueType& type = context.outputs[i];
    const auto& told = context.output_elements[i];
    all_told = told && type.kind == ValueType::Kind::kTensor && type.ranked &&
               followed(type.dtype) && all_known(type.dims) && all_known(*told);
  }
  if (all_told && outputs > 0) {
    for (size_t i = 0; i < outputs; ++i) {
      std::vector<int64_t> values;
      for (const Dim& dim : *context.output_elements[i]) values.push_back(dim.value());
      Shape shape;
      for (const Dim& dim : context.outputs[i].dims) shape.push_back(dim.value());
      LAN_TRY(Tensor tensor,
              Tensor::of_ints(values).reshaped(std::move(shape)).cast(context.outputs[i].dtype));
      made[i] = constant(std::move(tensor));
    }
    return made;
  }
  if (!entry->def->random && entry->def->reference && folded_bytes_ < kMaxFoldedBytes &&
      may_fold(node)) {
    bool small = true;
    for (size_t i = 0; i < outputs; ++i) {
      const ValueType& type = context.outputs[i];
      const Dim count = product(type.dims);
      small &= type.kind == ValueType::Kind::kTensor &&
               (entry->def->data_dependent ||
                (type.ranked && count.is_known() && count.value() <= kMaxFolded));
    }
    if (small) {
      if (auto folded = fold(node); folded && folded->size() >= outputs) {
        for (size_t i = 0; i < outputs; ++i) {
          folded_bytes_ += (*folded)[i].byte_size();
          made[i] = constant(std::move((*folded)[i]));
        }
        return made;
      }
    }
  }
  for (size_t i = 0; i < outputs; ++i) {
    if (context.outputs[i].kind == ValueType::Kind::kTensor && !context.outputs[i].ranked && !run_piece) {
      return error(ErrorCode::kUnsupported,
                   "the rank of what " + node.op + " gives depends on data");
    }
    made[i] = add_value(std::move(context.outputs[i]), std::move(context.output_elements[i]));
    remember_unknown_dims(made[i]);
  }
  node.outputs = made;
  if (code_place) node.source = code_place();
  if (module_path) node.name = module_path();
  graph_->nodes.push_back(std::move(node));
  for (const ValueId one : made) {
    // Running tells a rank that no rule does.
    if (type(one).kind == ValueType::Kind::kTensor && !type(one).ranked) LAN_OK(compute(std::array{one}));
  }
  return made;
}

bool GraphLowering::may_fold(const Node& node) const {
  if (node.inputs.empty()) return node.op != "Constant";
  for (const ValueId id : node.inputs) {
    if (id == kNoValue) continue;
    const Tensor* tensor = graph_->constant(id);
    if (!tensor || tensor->count() > (weight_[id] ? kMaxFoldedWeight : kMaxFolded)) return false;
  }
  return true;
}

Result<std::vector<Tensor>> GraphLowering::fold(const Node& node) const {
  std::vector<lanthorn::Value> inputs;
  for (const ValueId id : node.inputs) {
    if (id == kNoValue) {
      inputs.emplace_back();
      continue;
    }
    LAN_TRY(Tensor tensor, graph_->constant(id)->contiguous());
    inputs.emplace_back(std::move(tensor));
  }
  LAN_TRY(const std::vector<lanthorn::Value> outputs, run_reference(node, inputs));
  std::vector<Tensor> out;
  for (const lanthorn::Value& value : outputs) {
    const Tensor* tensor = value.tensor();
    if (!tensor) return Error{ErrorCode::kUnsupported, "no tensor", "", ""};
    out.push_back(*tensor);
  }
  return out;
}

TensorRef GraphLowering::tensor(ValueId value) {
  if (is_complex(type(value).dtype)) {
    // Inside of a graph there are only the parts.
    const Dims dims = type(value).dims;
    const auto parts = emit("ViewAsReal", {value}, {}, "lanthorn");
    LAN_CHECK(static_cast<bool>(parts));
    TensorRef made = tensor(*parts);
    made->dtype = type(value).dtype;
    made->dims = dims;
    return made;
  }
  auto out = std::make_shared<SymTensor>();
  out->root = std::make_shared<StorageRoot>();
  out->root->current = value;
  out->dtype = type(value).dtype;
  out->dims = type(value).dims;
  if (run_piece) roots_.push_back(out->root);
  return out;
}

std::optional<Dims> GraphLowering::elements(const TensorRef& tensor) {
  if (!followed(tensor->dtype)) return std::nullopt;
  const auto value = read(tensor);
  return value ? elements_[*value] : std::nullopt;
}

TensorRef GraphLowering::literal(Tensor data, bool wrapped_number) {
  TensorRef out = tensor(constant(std::move(data)));
  out->wrapped_number = wrapped_number;
  return out;
}

TensorRef GraphLowering::input(std::string name, DType dtype, Dims dims) {
  const ValueId id = add_value(ValueType::tensor(dtype, dims), std::nullopt);
  graph_->values[id].name = std::move(name);
  graph_->inputs.push_back(id);
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    const std::string symbol = dims[axis].symbol_name();
    if (!symbol.empty())
      symbols.sources.try_emplace(symbol, SizeSymbols::Source{id, static_cast<int64_t>(axis)});
  }
  return tensor(id);
}

TensorRef GraphLowering::loaded(Tensor data, std::string name) {
  auto out = std::make_shared<SymTensor>();
  out->root = std::make_shared<StorageRoot>();
  out->root->attribute = std::move(name);
  out->dtype = data.dtype();
  out->dims.assign(data.shape().begin(), data.shape().end());
  out->root->loaded = std::move(data);
  return out;
}

void GraphLowering::note(std::string text) {
  for (const std::string& known_note : notes) {
    if (known_note == text) return;
  }
  notes.push_back(std::move(text));
}

Error GraphLowering::error(ErrorCode code, std::string message) const {
  return {code, std::move(message), place ? place() : "", ""};
}

}  // namespace lanthorn::script
