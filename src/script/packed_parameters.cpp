#include "script/packed_parameters.h"

#include "script/class_table.h"

namespace lanthorn::script {
namespace {

Error unknown_state(Lowering& lowering, const Object& object) {
  return lowering.error(ErrorCode::kUnsupported, "packed weights of " + (object.type ? object.type->readable_name() : std::string("no class")) + " in this form");
}

Dims ints_of(const Value& value) {
  Dims out;
  const auto list = value.list();
  const auto tuple = value.tuple();
  if (!list && !tuple) {
    if (const Dim* one = value.integer()) out.push_back(*one);
    return out;
  }
  for (const Value& item : list ? list->items : tuple->items) {
    if (const Dim* one = item.integer()) out.push_back(*one);
  }
  return out;
}

/// The numbers of a convolution's state: [spatial rank, stride, padding, dilation, output padding, groups, transposed].
bool read_numbers(const Dims& numbers, PackedWeights& out) {
  if (numbers.empty() || !numbers[0].is_known()) return false;
  const int64_t rank = numbers[0].value();
  if (rank < 1 || rank > 3 || static_cast<int64_t>(numbers.size()) < 3 + 4 * rank) return false;
  size_t next = 1;
  for (Dims* list : {&out.stride, &out.padding, &out.dilation, &out.output_padding}) {
    for (int64_t i = 0; i < rank; ++i) list->push_back(numbers[next++]);
  }
  out.groups = numbers[next++];
  out.transposed = !numbers[next].is(0);
  return true;
}

/// (version, [numbers as a tensor, weight], [bias]) or (version, [numbers], [none, weight, bias]).
Result<PackedWeights> convolution_state(Lowering& lowering, const Object& object, const std::vector<Value>& state) {
  PackedWeights out;
  bool numbers = false;
  for (size_t i = 1; i < state.size(); ++i) {
    const auto list = state[i].list();
    if (!list) continue;
    if (!list->items.empty() && list->items[0].integer()) {
      numbers = read_numbers(ints_of(state[i]), out);
      continue;
    }
    for (const Value& item : list->items) {
      const TensorRef tensor = item.tensor();
      if (is_quantized_tensor(item)) {
        out.weight = item;
      } else if (tensor && (tensor->dtype == DType::kI16 || tensor->dtype == DType::kI64 || tensor->dtype == DType::kI32) && !numbers) {
        const auto told = tensor->root->loaded.defined() ? tensor->root->loaded.to_ints() : std::nullopt;
        if (told) numbers = read_numbers(Dims(told->begin(), told->end()), out);
      } else if (tensor) {
        (out.weight.is_none() && !is_floating(tensor->dtype) ? out.weight : out.bias) = item;
      }
    }
  }
  if (!numbers || out.weight.is_none()) return unknown_state(lowering, object);
  return out;
}

bool is_weight(const Value& value) { return is_quantized_tensor(value) || value.tensor(); }

}  // namespace

Value packed(const PackedWeights& weights, std::string_view class_name) {
  auto type = std::make_shared<ClassType>();
  type->name = std::string(class_name);
  type->kind = ClassType::Kind::kOpaque;
  auto object = std::make_shared<Object>();
  object->type = std::move(type);
  object->set("weight", weights.weight);
  object->set("bias", weights.bias);
  object->set("stride", make_ints(weights.stride));
  object->set("padding", make_ints(weights.padding));
  object->set("dilation", make_ints(weights.dilation));
  object->set("output_padding", make_ints(weights.output_padding));
  object->set("groups", Value(weights.groups));
  object->set("transposed", Value::of_bool(weights.transposed));
  return Value(std::move(object));
}

Result<PackedWeights> unpacked(Lowering& lowering, const Value& value) {
  const auto object = value.object();
  if (!object) return lowering.error(ErrorCode::kInvalidInput, "packed weights are an object, and a " + kind_of(value) + " came");
  PackedWeights out;
  if (const Value* weight = object->find("weight")) {
    out.weight = *weight;
    out.bias = *object->find("bias");
    out.stride = ints_of(*object->find("stride"));
    out.padding = ints_of(*object->find("padding"));
    out.dilation = ints_of(*object->find("dilation"));
    out.output_padding = ints_of(*object->find("output_padding"));
    out.groups = *object->find("groups")->integer();
    out.transposed = *object->find("transposed")->flag();
    return out;
  }
  const Value* held = object->find("__state__");
  const auto tuple = held ? held->tuple() : nullptr;
  if (!tuple) return unknown_state(lowering, *object);
  const std::vector<Value>& state = tuple->items;
  const std::string& name = object->type ? object->type->name : "";
  const auto ends = [&](std::string_view text) { return name.ends_with(text); };
  if (ends("LinearPackedParamsBase") && state.size() == 2 && is_weight(state[0])) {
    out.weight = state[0];
    out.bias = state[1];
    return out;
  }
  if (ends("EmbeddingPackedParamsBase") && state.size() >= 2) {
    const auto tensors = state[1].list();
    if (!tensors || tensors->items.empty() || !is_weight(tensors->items[0])) return unknown_state(lowering, *object);
    out.weight = tensors->items[0];
    return out;
  }
  if (ends("PackedParamsBase") && name.find("Conv") != std::string::npos) return convolution_state(lowering, *object, state);
  // Of XNNPACK: weight, bias, stride, padding, [output padding,] dilation, groups, low, high
  const bool transposed = ends("TransposeConv2dOpContext");
  if (ends("Conv2dOpContext") && state.size() == (transposed ? 9 : 8) && is_weight(state[0]) && state[transposed ? 6 : 5].integer()) {
    size_t next = 2;
    out.weight = state[0];
    out.bias = state[1];
    out.stride = ints_of(state[next++]);
    out.padding = ints_of(state[next++]);
    if (transposed) out.output_padding = ints_of(state[next++]);
    out.dilation = ints_of(state[next++]);
    out.groups = *state[next++].integer();
    out.transposed = transposed;
    out.low = state[next++];
    out.high = state[next];
    return out;
  }
  if (ends("LinearOpContext") && state.size() == 4 && is_weight(state[0])) {
    out.weight = state[0];
    out.bias = state[1];
    out.low = state[2];
    out.high = state[3];
    return out;
  }
  return unknown_state(lowering, *object);
}

// (kind, [biases], [doubles], [longs], [packed weights of the input, of the hidden state])
Result<std::vector<PackedWeights>> unpacked_cell(Lowering& lowering, const Value& cell) {
  const auto object = cell.object();
  const Value* held = object ? object->find("__state__") : nullptr;
  const auto tuple = held ? held->tuple() : nullptr;
  if (!tuple || tuple->items.size() != 5) {
    return lowering.error(ErrorCode::kUnsupported, "the parameters of a quantized recurrent cell in this form");
  }
  const auto tensors = tuple->items[1].list(), inner = tuple->items[4].list();
  if (!tensors || !inner || inner->items.size() != 2) {
    return lowering.error(ErrorCode::kUnsupported, "the parameters of a quantized recurrent cell in this form");
  }
  std::vector<PackedWeights> out;
  for (size_t i = 0; i < 2; ++i) {
    LAN_TRY(PackedWeights one, unpacked(lowering, inner->items[i]));
    if (tensors->items.size() == 2) one.bias = tensors->items[i];
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace lanthorn::script
