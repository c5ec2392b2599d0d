// OPS: ml_label_encoder ml_category_mapper
// https://onnx.ai/onnx/operators/onnx_aionnxml_LabelEncoder.html and its kin

#include <cmath>
#include <cstring>
#include <unordered_map>

#include "ops/ml_scores_shared.h"
#include "ops/numbers_shared.h"
#include "ops/text_lists_shared.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

// Keys or values: the elements of an attribute as a tensor of one dimension.
Tensor list_of(const Attributes& a, const std::string& name) {
  if (const Tensor* tensor = a.tensor(name + "_tensor")) return *tensor;
  const std::vector<std::string>& texts = text_list(a, name + "_strings");
  if (!texts.empty()) return Tensor::of_strings({static_cast<int64_t>(texts.size())}, texts);
  const std::vector<float> reals = a.reals(name + "_floats");
  if (!reals.empty()) return Tensor::of_floats(reals);
  return Tensor::of_ints(a.ints(name + "_int64s"));
}

Result<Tensor> default_of(const Attributes& a, DType dtype) {
  if (const Tensor* tensor = a.tensor("default_tensor");
      tensor && tensor->dtype() == dtype && tensor->count() > 0) {
    return tensor->contiguous();
  }
  switch (dtype) {
    case DType::kString:
      return Tensor::of_strings({1}, {std::string(a.text("default_string", "_Unused"))});
    case DType::kF32:
    case DType::kF64:
    case DType::kF16:
      return Tensor::scalar_f32(a.real("default_float", -0.0f)).cast(dtype);
    default:
      return Tensor::scalar_i64(a.integer("default_int64", -1)).cast(dtype);
  }
}

// What is looked up, and what is found.
struct Mapping {
  Tensor keys, values, fallback;
};

// The oldest form maps strings to their places in one list, and back.
Result<Mapping> old_mapping(const Attributes& a, DType input) {
  Mapping made;
  const std::vector<std::string>& classes = text_list(a, "classes_strings");
  std::vector<int64_t> places(classes.size());
  for (size_t i = 0; i < places.size(); ++i) places[i] = static_cast<int64_t>(i);
  made.keys = Tensor::of_ints(places);
  made.values = Tensor::of_strings({static_cast<int64_t>(classes.size())}, classes);
  if (input == DType::kString) std::swap(made.keys, made.values);
  LAN_TRY(made.fallback, default_of(a, made.values.dtype()));
  return made;
}

Result<Mapping> encoder(const Attributes& a, DType input) {
  Mapping made;
  if (a.has("classes_strings")) {
    LAN_TRY(made, old_mapping(a, input));
  } else {
    LAN_TRY(made.keys, list_of(a, "keys").contiguous());
    LAN_TRY(made.values, list_of(a, "values").contiguous());
    LAN_TRY(made.fallback, default_of(a, made.values.dtype()));
  }
  if (made.keys.count() != made.values.count()) {
    return attribute_error("keys_tensor", "there are not as many keys as values");
  }
  if (made.keys.dtype() == input) return made;
  return attribute_error("keys_tensor", "keys of type " +
                                            std::string(dtype_name(made.keys.dtype())) + " for " +
                                            std::string(dtype_name(input)));
}

Result<Mapping> categories(const Attributes& a, DType input) {
  Mapping made;
  made.keys = Tensor::of_ints(a.ints("cats_int64s"));
  const std::vector<std::string>& texts = text_list(a, "cats_strings");
  made.values = Tensor::of_strings({static_cast<int64_t>(texts.size())}, texts);
  if (made.keys.count() != made.values.count()) {
    return attribute_error("cats_int64s", "there are not as many numbers as strings");
  }
  if (input == DType::kString) std::swap(made.keys, made.values);
  LAN_TRY(made.fallback, default_of(a, made.values.dtype()));
  return made;
}

Result<Mapping> mapping_of(const Node& node, DType input) {
  return node.op == "CategoryMapper" ? categories(node.attributes, input)
                                     : encoder(node.attributes, input);
}

Status infer(InferContext& c) {
  LAN_TRY(const Mapping mapping, mapping_of(c.node(), c.dtype(0)));
  c.set_output(0, mapping.values.dtype(), c.dims(0));
  return ok();
}

// The bytes by which an element is looked up: all NaN are one, and so are both zeros.
std::string key_at(DType dtype, const void* data, int64_t index) {
  const std::byte* at = element_at(dtype, data, index);
  if (dtype == DType::kString) return *reinterpret_cast<const std::string*>(at);
  const auto text = [](auto number) {
    if (std::isnan(number)) return std::string("nan");
    number += 0;
    return std::string(reinterpret_cast<const char*>(&number), sizeof(number));
  };
  if (dtype == DType::kF32) {
    float number = 0;
    std::memcpy(&number, at, sizeof(number));
    return text(number);
  }
  if (dtype == DType::kF64) {
    double number = 0;
    std::memcpy(&number, at, sizeof(number));
    return text(number);
  }
  return std::string(reinterpret_cast<const char*>(at), dtype_bytes(dtype));
}

Status reference(const RunContext& c) {
  const TensorView& from = c.input(0);
  const MutableTensorView& to = c.output(0);
  LAN_TRY(const Mapping mapping, mapping_of(c.node(), from.dtype));
  std::unordered_map<std::string, int64_t> places;
  for (int64_t i = 0; i < mapping.keys.count(); ++i) {
    places[key_at(from.dtype, mapping.keys.data(), i)] = i;
  }
  for (int64_t i = 0; i < from.count(); ++i) {
    const auto found = places.find(key_at(from.dtype, from.data, i));
    const std::byte* value = found == places.end()
                                 ? mapping.fallback.data()
                                 : element_at(to.dtype, mapping.values.data(), found->second);
    copy_elements(to.dtype, value, element_at(to.dtype, to.data, i), 1);
  }
  return ok();
}

constexpr uint64_t kLabels = kMlNumbers | kStringType | type_bit(DType::kI16);

}  // namespace

extern constinit const OpDef op_ml_label_encoder{
    .name = "LabelEncoder",
    .domain = kMlDomain,
    .since = 4,
    .inputs = {{"X", kLabels}},
    .outputs = {{"Y", kLabels}},
    .infer = infer,
    .reference = reference,
};

extern constinit const OpDef op_ml_category_mapper{
    .name = "CategoryMapper",
    .domain = kMlDomain,
    .inputs = {{"X", kStringType | kI64Type}},
    .outputs = {{"Y", kStringType | kI64Type}},
    .infer = infer,
    .reference = reference,
};

}  // namespace lanthorn
