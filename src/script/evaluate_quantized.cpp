// Operators on quantized tensors: those of quantized::, and PyTorch's own by what they do with the numbers.
#include <algorithm>

#include "script/evaluator.h"
#include "script/quantized_operators.h"

namespace lanthorn::script {
namespace {

bool is_among(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool holds_quantized(const Value& value) {
  if (is_quantized_tensor(value)) return true;
  const auto list = value.list();
  return list && std::any_of(list->items.begin(), list->items.end(), is_quantized_tensor);
}

/// Results are numbers that the integers of the operand can stand for already.
constexpr std::string_view kSameNumbers[] = {
    "view", "reshape", "view_as", "reshape_as", "flatten", "ravel", "unflatten", "squeeze", "unsqueeze", "permute", "transpose", "t", "swapaxes",
    "swapdims", "movedim", "expand", "expand_as", "select", "slice", "narrow", "unbind", "split", "split_with_sizes", "chunk", "unsafe_chunk",
    "tensor_split", "contiguous", "clone", "detach", "alias", "relu", "max_pool1d", "max_pool2d", "max_pool3d", "quantized_max_pool1d",
    "quantized_max_pool2d", "adaptive_max_pool2d", "index_select", "index", "flip", "repeat", "tile", "pixel_shuffle", "pixel_unshuffle",
    "channel_shuffle", "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "_upsample_nearest_exact2d", "dropout", "feature_dropout", "cpu",
    "max_pool2d_with_indices", "sort", "topk", "max", "min", "roll", "gather", "requires_grad_", "unfold", "movedim", "copy"};

/// Results are rounded to the scale of the first operand.
constexpr std::string_view kRounded[] = {
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "mean", "hardtanh", "clamp",
    "clip", "clamp_min", "clamp_max", "relu6", "leaky_relu", "threshold", "upsample_bilinear2d", "upsample_linear1d", "upsample_trilinear3d",
    "upsample_bicubic2d", "cat", "concat", "stack", "pad", "constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "replication_pad2d", "gelu",
    "hardswish", "elu", "celu", "masked_fill", "where", "grid_sampler", "prelu", "silu", "fill"};

/// Results are floats, bools or facts.
constexpr std::string_view kPlain[] = {
    "size", "dim", "numel", "len", "eq", "ne", "lt", "le", "gt", "ge", "argmax", "argmin", "equal", "is_contiguous", "stride", "is_floating_point",
    "item", "all", "any", "is_complex"};

}  // namespace

Result<std::optional<Value>> Evaluator::call_quantized(std::string_view name, CallArguments& arguments) {
  using Answer = std::optional<Value>;
  const CallOperator call = [this](std::string op, CallArguments given) { return call_operator(op, std::move(given)); };
  const auto reported = [&](Result<Value> made) -> Result<Answer> {
    if (made) return Answer(*std::move(made));
    if (made.error().code == ErrorCode::kUnsupported) return Answer(missing(std::string(name) + ": " + made.error().message));
    return std::move(made).error();
  };
  if (is_quantized_operator(name)) {
    auto made = run_quantized_operator(name, arguments, lowering_, call);
    if (!made) return reported(std::move(made).error());
    return made;
  }
  const auto first = std::find_if(arguments.positional.begin(), arguments.positional.end(), holds_quantized);
  if (first == arguments.positional.end()) return Answer();
  const Value operand = is_quantized_tensor(*first) ? *first : first->list()->items[0];
  const bool list_work = name == "aten::append" || name == "aten::__getitem__" || name == "aten::_set_item" || name == "aten::list" ||
                         name == "aten::len" || name == "aten::insert" || name == "aten::extend" || name == "aten::__is__" ||
                         name == "aten::__isnot__" || name == "aten::pop" || name == "prim::unchecked_unwrap_optional";
  if (list_work && !(name == "aten::len" && is_quantized_tensor(*first))) return Answer();
  if (!is_quantized_tensor(operand)) return Answer(missing(std::string(name) + " of tensors of which some are quantized"));
  const Rounding rounding = rounding_of(operand);
  Emitter e(lowering_);
  const auto plain = [&](const Value& value) -> Result<Value> {
    if (is_quantized_tensor(value)) {
      LAN_TRY(TensorRef numbers, numbers_of(lowering_, value));
      return Value(std::move(numbers));
    }
    if (!holds_quantized(value)) return value;
    std::vector<Value> items;
    for (const Value& item : value.list()->items) {
      if (!is_quantized_tensor(item)) {
        items.push_back(item);
        continue;
      }
      LAN_TRY(TensorRef numbers, numbers_of(lowering_, item));
      items.push_back(Value(std::move(numbers)));
    }
    return make_list(std::move(items), "Tensor");
  };
  const std::string_view bare = name.starts_with("aten::") ? name.substr(6) : name;
  if (bare == "dequantize") {
    LAN_TRY(const Value numbers, plain(*first));
    if (numbers.list()) return Answer(numbers);
    return reported(e.result(e.op("Identity", {e.read(numbers.tensor())})));
  }
  if (bare == "int_repr") return reported(e.result(integers_of(e, operand)));
  if (bare == "q_scale") return Answer(Value::of_double(rounding.scales.at(0)));
  if (bare == "q_zero_point") return Answer(Value(Dim(static_cast<int64_t>(rounding.zero_points.at(0)))));
  if (bare == "q_per_channel_axis") return Answer(Value(Dim(rounding.axis)));
  const auto vector = [&](const std::vector<double>& numbers, DType dtype) -> Result<Answer> {
    LAN_TRY(Tensor made, Tensor::of<double>(DType::kF64, {static_cast<int64_t>(numbers.size())}, numbers).cast(dtype));
    return Answer(Value(lowering_.literal(std::move(made))));
  };
  if (bare == "q_per_channel_scales") return vector(rounding.scales, DType::kF64);
  if (bare == "q_per_channel_zero_points") return vector(rounding.zero_points, DType::kI64);
  if (bare == "qscheme") return Answer(Value(Dim(rounding.axis >= 0 ? 1 : 0)));
  if (name == "prim::dtype") return Answer(Value(Dim(scalar_type_of(rounding.dtype))));
  if (name == "prim::is_quantized") return Answer(Value::of_bool(true));

  CallArguments floats = arguments;
  for (Value& value : floats.positional) {
    LAN_TRY(value, plain(value));
  }
  for (auto& [key, value] : floats.keywords) {
    LAN_TRY(value, plain(value));
  }
  if (name.starts_with("prim::") || is_among(bare, kPlain)) {
    return reported(call_operator(name, std::move(floats)));
  }
  const bool in_place = bare.ends_with('_') && !bare.ends_with("__");
  const std::string_view pure = in_place ? bare.substr(0, bare.size() - 1) : bare;
  Rounding made_with = rounding;
  bool rounds = is_among(pure, kRounded);
  if (pure == "sigmoid" || pure == "hardsigmoid" || pure == "tanh") {
    // These have a range of their own.
    const double step = pure == "tanh" ? 2.0 / 256 : 1.0 / 256;
    const bool is_signed = rounding.dtype == DType::kQI8;
    made_with.scales = {step};
    made_with.zero_points = {pure == "tanh" ? (is_signed ? 0.0 : 128.0) : (is_signed ? -128.0 : 0.0)};
    rounds = true;
  } else if (!rounds && !is_among(pure, kSameNumbers)) {
    return Answer(missing(std::string(name) + " of quantized tensors"));
  }
  if (pure == "copy" && in_place) {
    LAN_TRY(const Value written, call_operator(name, std::move(floats)));
    return Answer(written.is_unknown() ? written : operand);
  }
  // A quantized max pool is the pool of floats under another name.
  const std::string op = "aten::" + std::string(pure.starts_with("quantized_") ? pure.substr(10) : pure);
  LAN_TRY(const Value result, call_operator(op, std::move(floats)));
  const std::function<Result<Value>(const Value&)> wrapped = [&](const Value& value) -> Result<Value> {
    if (const TensorRef tensor = value.tensor()) {
      if (!is_floating(tensor->dtype)) return value;
      if (!rounds) return make_quantized(tensor, made_with);
      const ValueId made = rounded(e, e.read(tensor), made_with);
      if (e.failed()) return e.error();
      return make_quantized(lowering_.tensor(made), made_with);
    }
    const auto items = [&](const std::vector<Value>& from) -> Result<std::vector<Value>> {
      std::vector<Value> out;
      for (const Value& item : from) {
        LAN_TRY(Value one, wrapped(item));
        out.push_back(std::move(one));
      }
      return out;
    };
    if (const auto list = value.list()) {
      LAN_TRY(std::vector<Value> made, items(list->items));
      return make_list(std::move(made), list->element_type);
    }
    if (const auto tuple = value.tuple()) {
      LAN_TRY(std::vector<Value> made, items(tuple->items));
      return make_tuple(std::move(made));
    }
    return value;
  };
  if (!in_place) return reported(wrapped(result));
  if (result.is_unknown()) return Answer(result);
  LAN_TRY(const Value made, wrapped(result));
  LAN_TRY(const TensorRef target, numbers_of(lowering_, operand));
  LAN_TRY(const TensorRef source, numbers_of(lowering_, made));
  LAN_OK(write_result(Value(target), Value(source)));
  return Answer(operand);
}

}  // namespace lanthorn::script
