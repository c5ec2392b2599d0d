// One node of any operator with small inputs of any type and attributes of any value: types and outputs
// that agree, or an error. What the shape rule allows, the reference must survive.
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "ops/op.h"

namespace lanthorn {
namespace {

// Takes numbers off the input; zeros when it is used up.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  uint8_t next() { return at_ < size_ ? data_[at_++] : uint8_t{0}; }
  uint8_t below(size_t limit) { return static_cast<uint8_t>(next() % limit); }

 private:
  const uint8_t* data_;
  size_t size_, at_ = 0;
};

constexpr DType kDTypes[] = {DType::kF32, DType::kI64,    DType::kF16, DType::kBF16,     DType::kF64,   DType::kI32,
                             DType::kU8,  DType::kI8,     DType::kU64, DType::kBool,     DType::kString, DType::kI16,
                             DType::kU16, DType::kU32,    DType::kI4,  DType::kF8E4M3FN, DType::kC64,   DType::kF4E2M1};
constexpr int64_t kIntegers[] = {0, 1, 2, 3, 4, -1, -2, 5, 7, INT32_MAX, INT64_MAX, INT64_MIN, -7, 16, 100, INT64_MIN + 1};
constexpr float kReals[] = {0.0f, 1.0f, -1.0f, 0.5f, -2.5f, 3.0f, 1e30f, -1e30f, 1e-30f, __builtin_nanf(""), __builtin_inff(), -__builtin_inff()};
constexpr const char* kIntegerNames[] = {"axis", "keepdims", "to", "dtype", "batch_dims", "blocksize", "k", "upper", "group", "ceil_mode",
                                         "count_include_pad", "start", "end", "num_outputs", "transA", "transB", "transB", "allowzero",
                                         "noop_with_empty_axes", "exclusive", "reverse", "largest", "sorted", "select_last_index",
                                         "time_axis", "batch_axis", "storage_order", "p", "hidden_size", "size", "block_size", "num_heads",
                                         "kv_num_heads", "q_num_heads", "is_causal", "fmod", "saturate", "interleaved", "sample_size",
                                         "rotary_embedding_dim", "stash_type", "output_dtype", "keep_aspect_ratio_policy", "layout"};
constexpr const char* kListNames[] = {"perm", "kernel_shape", "strides", "pads", "dilations", "shape", "output_shape", "output_padding",
                                      "axes", "value_ints"};
constexpr const char* kRealNames[] = {"alpha", "beta", "epsilon", "gamma", "bias", "lambd", "scale", "mean", "low", "high", "seed",
                                      "softcap", "extrapolation_value", "cubic_coeff_a", "value_float"};
constexpr const char* kTextNames[] = {"mode", "equation", "reduction", "direction", "auto_pad", "approximate", "activation",
                                      "coordinate_transformation_mode", "nearest_mode", "round_mode"};
constexpr const char* kTexts[] = {"add", "CRD", "ij,jk->ik", "...i->...", "ij->ji", "iij->j", "max", "LEFT", "RIGHT", "SAME_UPPER", "SAME_LOWER",
                                  "VALID", "tanh", "Relu", "Clip", "Gelu", "reflect", "edge", "wrap", "circular", "linear", "cubic",
                                  "align_corners", "half_pixel", "floor", "ceil", "bidirectional", "i,j->ij", ",", "mul", "min"};

Tensor make_tensor(Bytes& bytes) {
  const DType dtype = kDTypes[bytes.below(std::size(kDTypes))];
  Shape shape(bytes.below(6));
  for (int64_t& size : shape) size = bytes.below(5);
  Result<Tensor> made = Tensor::allocate(dtype, shape);
  if (!made) std::abort();
  if (dtype == DType::kString) {
    for (std::string& text : made->mutable_as<std::string>()) text.assign(bytes.below(4), '3');
    return *std::move(made);
  }
  Result<Tensor> numbers = Tensor::allocate(dtype == DType::kI64 ? DType::kI64 : DType::kF32, shape);
  if (!numbers) std::abort();
  if (dtype == DType::kI64) {
    for (int64_t& number : numbers->mutable_as<int64_t>()) number = kIntegers[bytes.below(std::size(kIntegers))];
    return *std::move(numbers);
  }
  for (float& number : numbers->mutable_as<float>()) {
    const uint8_t byte = bytes.next();
    number = byte < 128 ? kReals[byte % std::size(kReals)] : static_cast<float>(byte % 8);
  }
  Result<Tensor> cast = numbers->cast(dtype);
  return cast ? *std::move(cast) : *std::move(numbers);
}

Attributes make_attributes(Bytes& bytes) {
  Attributes attributes;
  for (uint8_t count = bytes.below(6); count > 0; --count) {
    const uint8_t kind = bytes.below(5);
    const auto integer = [&bytes] { return kIntegers[bytes.below(std::size(kIntegers))]; };
    if (kind <= 1) {
      attributes.set(kIntegerNames[bytes.below(std::size(kIntegerNames))], integer());
    } else if (kind == 2) {
      std::vector<int64_t> list(bytes.below(7));
      for (int64_t& number : list) number = integer();
      attributes.set(kListNames[bytes.below(std::size(kListNames))], std::move(list));
    } else if (kind == 3) {
      attributes.set(kRealNames[bytes.below(std::size(kRealNames))], kReals[bytes.below(std::size(kReals))]);
    } else {
      attributes.set(kTextNames[bytes.below(std::size(kTextNames))], std::string(kTexts[bytes.below(std::size(kTexts))]));
    }
  }
  return attributes;
}

// Every tensor must have the type that the rule gave where that is known.
void check_types(const Node& node, const std::vector<ValueType>& types, const std::vector<Value>& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor* tensor = outputs[i].tensor();
    if (node.outputs[i] == kNoValue || !tensor || types[i].kind != ValueType::Kind::kTensor || !types[i].ranked) continue;
    if (tensor->dtype() != types[i].dtype || tensor->rank() != types[i].dims.size()) std::abort();
    for (size_t d = 0; d < tensor->rank(); ++d) {
      if (types[i].dims[d].is_known() && !types[i].dims[d].is(tensor->shape()[d])) std::abort();
    }
  }
}

void run(Bytes& bytes) {
  const std::span<const OpEntry> ops = all_ops();
  const OpEntry& op = ops[(size_t{bytes.next()} * 256 + bytes.next()) % ops.size()];
  Node node;
  node.op = op.def->name;
  node.domain = op.def->domain;
  std::vector<Value> values(bytes.below(6));
  for (size_t i = 0; i < values.size(); ++i) {
    const bool present = bytes.below(8) != 7;
    node.inputs.push_back(present ? static_cast<ValueId>(i) : kNoValue);
    if (present) values[i] = make_tensor(bytes);
  }
  for (uint8_t i = 0; i < 1 + bytes.below(3); ++i) node.outputs.push_back(bytes.below(8) == 7 ? kNoValue : 100u + i);
  node.attributes = make_attributes(bytes);

  // The rule alone sees dimensions and no values, as it does for inputs that are computed.
  std::vector<ValueType> types(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].tensor()) types[i] = type_of(values[i]);
  }
  InferContext blind(node, types, {}, {});
  if (!infer_node(op, blind)) return;
  if (const Result<std::vector<Value>> outputs = run_reference(node, values, 1 << 20)) {
    check_types(node, blind.outputs, *outputs);
  }
}

}  // namespace
}  // namespace lanthorn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lanthorn::Bytes bytes(data, size);
  lanthorn::run(bytes);
  return 0;
}
