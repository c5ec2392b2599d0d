#include "formats/flat_tensors.h"

#include "formats/torch/state_names.h"

namespace lanthorn {
namespace {

using Kind = Object::Kind;

/// A number or tensor of numbers as a tensor; undefined for others.
Tensor as_tensor(const Object& object) {
  switch (object.kind) {
    case Kind::kTensor:
      return object.tensor;
    case Kind::kInt:
      return Tensor::scalar_i64(object.integer);
    case Kind::kFloat:
      return Tensor::of<double>(DType::kF64, {}, std::span(&object.real, 1));
    default:
      return Tensor();
  }
}

Error corrupt(const std::string& name) {
  return Error{ErrorCode::kCorrupt, "the scales of the quantized tensor do not fit its shape",
               "tensor '" + name + "'"};
}

template <class T>
void scale_integers(const Tensor& integers, std::span<const double> scales,
                    std::span<const double> zero_points, bool float_zero_points, uint64_t inner,
                    std::span<float> out) {
  const auto values = integers.as<T>();
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t channel = scales.size() == 1 ? 0 : i / inner % scales.size();
    const auto scale = static_cast<float>(scales[channel]);
    if (float_zero_points) {
      out[i] = (static_cast<float>(values[i]) - static_cast<float>(zero_points[channel])) * scale;
    } else {
      // In double, where no difference of a number of 32 bits and whatever a file says overflows.
      out[i] = scale * static_cast<float>(values[i] - zero_points[channel]);
    }
  }
}

ObjectId add_number(ObjectTree& tree, const Tensor& number) {
  if (number.rank() > 0) return tree.add_tensor(number);
  if (is_floating(number.dtype())) return tree.add(PlainValue(number.to_doubles()->at(0)));
  return tree.add(PlainValue(number.to_ints()->at(0)));
}

ObjectId add_quantizer(ObjectTree& tree, const Quantizer& quantizer) {
  Object scheme;
  scheme.kind = Kind::kGlobal;
  scheme.text = quantizer.scheme;
  std::vector<ObjectId> parts = {tree.add(std::move(scheme)), add_number(tree, quantizer.scales),
                                 add_number(tree, quantizer.zero_points)};
  if (quantizer.axis >= 0) parts.push_back(tree.add(PlainValue(quantizer.axis)));
  return tree.add_list(std::move(parts), Kind::kTuple);
}

}  // namespace

std::shared_ptr<const Quantizer> quantizer_of(const ObjectTree& tree, ObjectId id) {
  const Object& object = tree[id];
  if (!is_quantized(object.tensor.dtype()) || object.arguments == kNoObject) return nullptr;
  const auto& items = tree[object.arguments].items;
  if (items.size() < 3) return nullptr;
  auto quantizer = std::make_shared<Quantizer>();
  quantizer->scheme = tree[items[0]].text;
  quantizer->scales = as_tensor(tree[items[1]]);
  quantizer->zero_points = as_tensor(tree[items[2]]);
  if (items.size() > 3) quantizer->axis = tree[items[3]].integer;
  if (!quantizer->scales.defined() || !quantizer->zero_points.defined()) return nullptr;
  return quantizer;
}

Result<Tensor> FlatTensor::numbers() const {
  if (!quantizer) return tensor;
  const auto scales = quantizer->scales.to_doubles();
  const auto zero_points = quantizer->zero_points.to_doubles();
  if (!scales || !zero_points || scales->empty() || scales->size() != zero_points->size()) {
    return corrupt(name);
  }
  uint64_t inner = 1;
  if (scales->size() > 1 || quantizer->axis >= 0) {
    const auto axis = static_cast<size_t>(quantizer->axis);
    if (quantizer->axis < 0 || axis >= tensor.rank() ||
        tensor.shape()[axis] != static_cast<int64_t>(scales->size())) {
      return corrupt(name);
    }
    for (size_t i = axis + 1; i < tensor.rank(); ++i) {
      inner *= static_cast<uint64_t>(tensor.shape()[i]);
    }
  }
  LAN_TRY(const Tensor integers, tensor.contiguous());
  LAN_TRY(Tensor made, Tensor::allocate(DType::kF32, tensor.shape()));
  const auto out = made.mutable_as<float>();
  const bool real_zeros = is_floating(quantizer->zero_points.dtype());
  switch (tensor.dtype()) {
    case DType::kQI8:
      scale_integers<int8_t>(integers, *scales, *zero_points, real_zeros, inner, out);
      break;
    case DType::kQI32:
      scale_integers<int32_t>(integers, *scales, *zero_points, real_zeros, inner, out);
      break;
    default:
      scale_integers<uint8_t>(integers, *scales, *zero_points, real_zeros, inner, out);
  }
  return made;
}

bool is_quantized(DType dtype) { return dtype >= DType::kQI8 && dtype <= DType::kQU2x4; }

Result<std::vector<FlatTensor>> flat_tensors(const ObjectTree& tree) {
  LAN_TRY(std::vector<TensorName> names, list_tensors(tree, tree.root));
  std::vector<FlatTensor> tensors;
  tensors.reserve(names.size());
  for (TensorName& name : names) {
    tensors.push_back({std::move(name.name), tree[name.id].tensor, quantizer_of(tree, name.id)});
  }
  return tensors;
}

std::vector<FlatTensor> flat_tensors(const StateDict& state, const Quantizers& quantizers) {
  std::vector<FlatTensor> tensors;
  tensors.reserve(state.size());
  for (const NamedTensor& named : state.entries()) {
    const auto known = quantizers.find(named.name);
    tensors.push_back(
        {named.name, named.tensor, known == quantizers.end() ? nullptr : known->second});
  }
  return tensors;
}

Result<NamedTensors> named_tensors(std::vector<FlatTensor> tensors) {
  NamedTensors named;
  for (FlatTensor& flat : tensors) {
    if (flat.quantizer) named.quantizers.emplace(flat.name, std::move(flat.quantizer));
    LAN_OK(named.tensors.add(std::move(flat.name), std::move(flat.tensor)));
  }
  return named;
}

ObjectTree tree_of(const std::vector<FlatTensor>& tensors) {
  ObjectTree tree;
  tree.root = tree.add_dict("collections.OrderedDict");
  for (const FlatTensor& flat : tensors) {
    const ObjectId key = tree.add(PlainValue(flat.name)), value = tree.add_tensor(flat.tensor);
    if (flat.quantizer) tree.nodes[value].arguments = add_quantizer(tree, *flat.quantizer);
    auto& items = tree.nodes[tree.root].items;
    items.insert(items.end(), {key, value});
  }
  return tree;
}

}  // namespace lanthorn
